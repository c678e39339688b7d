"""Sync the model catalog, browse it, and estimate costs."""
