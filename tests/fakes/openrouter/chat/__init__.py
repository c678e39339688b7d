"""POST /chat/completions: validation, completions, and injected faults."""
