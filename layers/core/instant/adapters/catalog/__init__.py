"""The model catalog in DynamoDB."""
