"""Lambda in the local stack."""
