"""Executions: what a call must know, the ledger, past executions and their answers."""
