"""The ports that the use cases needs: one file a subject; the adapters implement it."""
