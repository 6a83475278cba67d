"""The report in its forms: a table for people, JSON, JUnit, TAP."""
