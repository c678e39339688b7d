"""The OpenAPI document of the whole API: made by `make openapi` from every app, and only read here."""

from functools import cache
from pathlib import Path

PLACE = Path(__file__).parents[1] / "openapi.json"
"""Where the document lies in the layer."""


@cache
def document() -> str:
    """Its text; the file is read once per process."""
    return PLACE.read_text()
