"""Makes the OpenAPI document: `python -m tests.openapi` writes it, `python -m tests.openapi --check` compares."""
