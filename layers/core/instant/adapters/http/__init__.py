"""HTTP to external services."""
