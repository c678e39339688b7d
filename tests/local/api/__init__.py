"""API Gateway's part of the local stack."""
