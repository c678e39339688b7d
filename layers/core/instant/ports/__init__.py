"""What the use cases need from outside: one file a subject; the adapters implement it."""
