"""Streamed executions: progress, leases, cancellation, continuation."""
