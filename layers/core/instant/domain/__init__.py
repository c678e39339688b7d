"""The domain: resources, executions, models and credentials as plain data and rules, without I/O."""
