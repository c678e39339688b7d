"""Machines that look for holes: generated requests, and generated histories of everything the product does."""
