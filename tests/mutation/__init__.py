"""Mutation tests of the security and money modules: every mutant should make a test fail."""
