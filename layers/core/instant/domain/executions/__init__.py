"""One execution: what was prepared, what it produced, and how it failed."""
