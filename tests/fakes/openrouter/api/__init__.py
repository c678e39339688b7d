"""The handlers of all routes except chat completions."""
