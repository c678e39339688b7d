"""Fuzz tests: generated requests, and generated histories of operations that are compared with a model."""
