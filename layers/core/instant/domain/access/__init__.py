"""Callers, API keys, access tokens and integrations."""
