"""Resources and their statistics in DynamoDB."""
