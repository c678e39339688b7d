"""Cannot be imported."""

raise RuntimeError("no import for you")
