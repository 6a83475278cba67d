"""System calls by name. A family a file; `registry` knows them, `dispatch` calls them."""
