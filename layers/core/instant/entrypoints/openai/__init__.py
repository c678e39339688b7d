"""The routes below /v1, which clients of OpenAI's API can call."""
