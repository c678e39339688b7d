"""AWS: clients, tables, batches and transactions."""
