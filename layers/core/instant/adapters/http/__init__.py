"""HTTP to outside services."""
