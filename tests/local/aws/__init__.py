"""The AWS services of the local stack: API calls, permissions and events."""
