"""A house that the tests of one file share, each of them as another user, so that their order does not matter."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from tests.integration.house import Answer, House, open_house

MODEL = "meadow/lark"
"""A plain model of the catalog."""

_numbers = count(1)


@contextmanager
def open_guest_house() -> Iterator[House]:
    """A house with a synced catalog and no user yet."""
    with open_house() as house:
        house.sync()
        yield house


def new_user() -> str:
    """Somebody who was never here before."""
    return f"guest-{next(_numbers)}"


def create(house: House, user: str, config: dict[str, Any] | None = None, **fields: Any) -> Answer:
    """Create a resource on the plain model."""
    body = {"resource_type": "openrouter_instant", "name": "Haiku", "config": {"model": MODEL, **(config or {})}}
    return house.call("POST", "/api/resources", {**body, **fields}, user=user)


def created(house: House, user: str, config: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A new resource."""
    answer = create(house, user, config, **fields)
    assert answer.status == 201, answer.text
    return dict(answer.json)
