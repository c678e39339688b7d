"""Executions over HTTP."""
