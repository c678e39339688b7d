"""The nouns: what a resource, an execution, a model or a credential is, without any door to the outside."""
