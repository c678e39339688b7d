"""API keys and integrations over HTTP."""
