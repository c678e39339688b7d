"""Streams of chunks: their deltas, how far a test lets them go, and what they cost if the reader leaves."""
