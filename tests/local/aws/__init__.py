"""AWS's part of the local stack: services, permissions and events."""
