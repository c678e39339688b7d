"""Authorize callers; manage API keys and integrations; throttle."""
