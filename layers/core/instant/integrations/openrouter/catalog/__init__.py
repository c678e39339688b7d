"""The model catalog: its requests, its pages and their rows."""

from instant.integrations.openrouter.catalog.pages import Listing, is_unchanged, listing_request, read_listing
from instant.integrations.openrouter.catalog.rows import Row, RowSkipped, read_row

__all__ = ["Listing", "Row", "RowSkipped", "is_unchanged", "listing_request", "read_listing", "read_row"]
