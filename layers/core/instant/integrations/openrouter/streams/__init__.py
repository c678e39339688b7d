"""Answers that arrive as server-sent events."""
