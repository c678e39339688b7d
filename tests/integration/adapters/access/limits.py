"""What the tests of the rate limiter share: rates, expected errors, and rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from instant.domain.errors import LimitsUnavailable, RateLimited
from instant.domain.limits import Rate
from tests.integration.app import App

THREE = Rate(3, 60)
MANY = Rate(1_000, 60)
SECONDS = 155.0
"""The duration of the leases in these tests, unless they are released."""


@contextmanager
def rejected(limit: str, retry_after: int) -> Iterator[None]:
    """Assert that this limit rejects the call inside."""
    with pytest.raises(RateLimited) as caught:
        yield
    assert (caught.value.details["limit"], caught.value.retry_after) == (limit, retry_after)
    assert caught.value.details["most"]
    assert str(caught.value.details["most"]) in caught.value.message


@contextmanager
def unavailable() -> Iterator[None]:
    """Assert that the call inside raises because the limits are unavailable."""
    with pytest.raises(LimitsUnavailable) as caught:
        yield
    assert caught.value.retry_after == 1


def row(cloud: App, name: str) -> dict[str, Any]:
    """Return the only row whose name has this prefix."""
    (found,) = [item for item in cloud.table("LIMITS_TABLE") if item["name"]["S"].startswith(name)]
    return found
