"""Mutation testing of what guards the house: every small change to it should make a test fail."""
