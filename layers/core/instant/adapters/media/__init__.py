"""Images: decoding and storing."""
