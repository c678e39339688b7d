"""POST /chat/completions: what a call is checked for, what it is answered, and how the answer may be spoiled."""
