"""Executions: prepare, record, perform, replay, reconcile, preview and read them."""
