"""Executions: the stored facts that a call needs, the ledger, past executions and their answers."""
