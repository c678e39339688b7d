"""The timeout of waits in tests."""

HANG_SECONDS = 1200.0
"""Seconds after which a wait in a test fails. It only detects hangs: a busy machine does not reach it."""
