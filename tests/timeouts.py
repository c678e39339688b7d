"""How long tests wait for what must happen."""

HANG_SECONDS = 1200.0
"""A wait in a test that takes longer counts as hung. It guards against hangs only: a busy machine never reaches it."""
