"""Entrypoints: request parsing, responses, errors and logging."""
