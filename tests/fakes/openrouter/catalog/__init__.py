"""The catalog of the double: about sixty models, with every oddity that the real one has shown.

Names are invented or plain facts, descriptions are our own, prices are made up.
"""

from datetime import UTC, date, datetime

from tests.fakes.openrouter.catalog import everyday, faulty, media, oddities, variants
from tests.fakes.openrouter.catalog.build import Json, dated
from tests.fakes.openrouter.catalog.faulty import directives_of
from tests.fakes.openrouter.catalog.oddities import UNHEARD_OF

__all__ = ["UNHEARD_OF", "default_catalog", "directives_of"]


def default_catalog(today: date | None = None) -> list[Json]:
    """A fresh copy of all rows, newest first; expiration dates that are near are near to `today`."""
    today = today or datetime.now(UTC).date()
    ordinary = everyday.rows()
    others = [*media.rows(), *oddities.rows(today), *faulty.rows()]
    return dated([*ordinary, *others, *variants.rows(ordinary)])
