"""Mutation testing of what guards the app: every small change to it should make a test fail."""
