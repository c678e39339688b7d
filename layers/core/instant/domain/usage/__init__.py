"""Budgets and the usage report."""
