"""The statistics and the rank of a resource do not depend on what ails its callers, or on its owner's own calls."""

from typing import Any

import pytest

from instant.domain.error_bodies.classes import every_error
from instant.domain.executions.counted import COUNTS, counts
from tests.integration.app import App

EMPTY_KEY = "sk-or-v1-broke" + "0" * 50


def public(app: App) -> str:
    """A public resource of Alice."""
    return str(app.resource(visibility="public")["resource_id"])


def stats(app: App, resource_id: str, user: str) -> tuple[int, int, int]:
    """The calls, successes and failures that this user sees."""
    shown: dict[str, Any] = app.call("GET", f"/api/resources/{resource_id}", user=user).json["stats"]
    return shown["call_count"], shown["success_count_30d"], shown["failure_count_30d"]


def recent_use(app: App) -> dict[str, int]:
    """The use of the only public resource, as of a new ranking."""
    app.invoke("RankResourcesFunction", {"source": "aws.events"})
    (row,) = app.call("GET", "/api/resources", query={"listing": "public"}).json["data"]
    return dict(row["recent_use"])


def test_counts_have_a_line_for_every_error_code() -> None:
    assert set(COUNTS) == {kind.code for kind in every_error()}
    assert counts(None)
    assert counts("a code of an earlier version")


def test_caller_without_credits_does_not_lower_the_statistics(seeded: App) -> None:
    resource_id = public(seeded)
    seeded.connect("bob")
    seeded.connect("mallory", EMPTY_KEY)
    assert [seeded.execute(resource_id, user="bob").status for _ in range(3)] == [200] * 3
    assert {seeded.execute(resource_id, user="mallory").code for _ in range(5)} == {"credits_exhausted"}
    assert stats(seeded, resource_id, "bob") == (8, 3, 0)
    assert recent_use(seeded) == {"calls": 3, "successes": 3}


@pytest.mark.parametrize(
    ("directive", "failures"),
    [
        ("error 401", 0),
        ("error 402", 0),
        ("error 429 daily", 0),
        ("error 429", 1),
        ("error 403 moderation", 0),
        ("error 400 context", 0),
        ("error 500", 1),
        ("empty", 1),
    ],
)
def test_only_failures_of_the_resource_are_counted(seeded: App, directive: str, failures: int) -> None:
    resource_id = public(seeded)
    seeded.connect("bob")
    assert seeded.execute(resource_id, f"[[fake: {directive}]]", user="bob").status >= 400
    assert stats(seeded, resource_id, "bob") == (1, 0, failures)
    assert recent_use(seeded) == {"calls": failures, "successes": 0}


def test_owners_calls_are_in_no_rank_and_in_no_statistics_of_others(seeded: App) -> None:
    resource_id = public(seeded)
    seeded.connect("bob")
    assert seeded.execute(resource_id, user="bob").status == 200
    assert [seeded.execute(resource_id).status for _ in range(4)] == [200] * 4
    assert seeded.execute(resource_id, "[[fake: error 500]]").status == 502
    assert stats(seeded, resource_id, "bob") == (6, 1, 0)
    assert stats(seeded, resource_id, "alice") == (6, 5, 1)
    assert recent_use(seeded) == {"calls": 1, "successes": 1}
