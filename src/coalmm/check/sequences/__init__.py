"""Random operations for each group of functions, all of them allowed by the document."""
