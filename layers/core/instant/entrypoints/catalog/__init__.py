"""The model catalog over HTTP."""
