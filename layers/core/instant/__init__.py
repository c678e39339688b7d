"""Instant Resources: any OpenRouter model as a callable HTTP resource."""
