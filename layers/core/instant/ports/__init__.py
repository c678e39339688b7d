"""Interfaces that the use cases need, one module per subject; the adapters implement them."""
