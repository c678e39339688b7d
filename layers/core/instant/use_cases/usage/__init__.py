"""Budgets and usage reports."""
