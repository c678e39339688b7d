"""A module whose import fails."""

raise RuntimeError("import failed")
