"""The ledger, past executions and their answers in DynamoDB and S3."""
