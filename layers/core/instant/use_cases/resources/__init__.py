"""Create, change, list and rank resources."""
