"""Budgets and usage over HTTP."""
