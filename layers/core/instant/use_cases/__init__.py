"""Use cases: the operations of the system, written against ports; start at executions/execute.py."""
