"""Embeddings: the request of one call, the parsing of its response, and the two encodings of vectors."""

from instant.integrations.openrouter.embeddings.call import embeddings_request, read_embeddings
from instant.integrations.openrouter.embeddings.vectors import from_base64, to_base64

__all__ = ["embeddings_request", "from_base64", "read_embeddings", "to_base64"]
