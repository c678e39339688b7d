"""Lambda's part of the local stack."""
