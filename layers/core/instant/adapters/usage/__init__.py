"""Budgets and usage in DynamoDB."""
