"""Resources, their lists, ranks and statistics."""
