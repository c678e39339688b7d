"""Streams, measured against a bare asyncio proxy and nginx in the same run: delay, CPU time and memory."""
