"""API Gateway in the local stack."""
