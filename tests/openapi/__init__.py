"""Generates the OpenAPI document: `python -m tests.openapi` writes it; with `--check` it only compares it."""
