"""The catalog of the fake: about sixty models, with the irregularities observed in the real catalog.

Some names are real; descriptions and prices are invented.
"""

from datetime import UTC, date, datetime

from tests.fakes.openrouter.catalog import faulty, irregular, media, ordinary, variants
from tests.fakes.openrouter.catalog.build import Json, dated
from tests.fakes.openrouter.catalog.faulty import directives_of
from tests.fakes.openrouter.catalog.irregular import UNDOCUMENTED

__all__ = ["UNDOCUMENTED", "default_catalog", "directives_of"]


def default_catalog(today: date | None = None) -> list[Json]:
    """A new copy of all rows, newest first; near expiration dates are relative to `today`."""
    today = today or datetime.now(UTC).date()
    base = ordinary.rows()
    others = [*media.rows(), *irregular.rows(today), *faulty.rows()]
    return dated([*base, *others, *variants.rows(base)])
