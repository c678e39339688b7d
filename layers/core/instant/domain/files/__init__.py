"""Upper bounds of what a file in a caller's inputs can cost, which hold for hostile files."""
