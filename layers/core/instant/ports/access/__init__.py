"""API keys, integrations, encryption, tokens and rate limits."""
