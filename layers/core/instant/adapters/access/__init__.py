"""API keys, access tokens, integrations, encryption and rate limits."""
