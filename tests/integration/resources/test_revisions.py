"""A change can require a revision, and the second of two concurrent writers receives a conflict."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from instant.adapters.aws import client as aws
from tests.integration.app import Answer, App
from tests.integration.resource_stores import a_resource_store
from tests.integration.synced_app import created, deployed_synced_app, new_user

TRANSACTION = "before-call.dynamodb.TransactWriteItems"
CONFLICT = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
NO_REASON = {"Code": "None"}


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


def change(app: App, method: str, user: str, resource: dict[str, Any], revision: str | None, **body: str) -> Answer:
    """Send a PATCH of the name or a DELETE, with or without If-Match."""
    headers = {} if revision is None else {"If-Match": revision}
    sent = {"name": "Second", **body} if method == "PATCH" else None
    return app.call(method, f"/api/resources/{resource['resource_id']}", sent, headers=headers, user=user)


def name_and_revision(app: App, user: str, resource: dict[str, Any]) -> tuple[str, int]:
    """Return the current name and revision."""
    now = app.call("GET", f"/api/resources/{resource['resource_id']}", user=user).json
    return now["name"], now["revision"]


def before_the_next_transaction(act: Callable[[], Any]) -> None:
    """Call `act` once, before the next transaction is sent; a return value replaces DynamoDB's response."""
    events = aws.client("dynamodb").meta.events

    def once(**_: Any) -> Any:
        events.unregister(TRANSACTION, once)
        return act()

    events.register(TRANSACTION, once)


@pytest.mark.parametrize("revision", ['"1"', "1", 'W/"1"', "*", ' "1" ', None])
def test_if_match_accepts_the_current_revision(shared: App, revision: str | None) -> None:
    user = new_user()
    resource = created(shared, user)
    assert change(shared, "PATCH", user, resource, revision).json["revision"] == 2
    assert change(shared, "DELETE", user, resource, revision and revision.replace("1", "2")).status == 204


def test_stale_revision_returns_a_conflict(shared: App) -> None:
    user = new_user()
    resource = created(shared, user)
    assert change(shared, "PATCH", user, resource, '"1"').status == 200
    for revision in ('"1"', '"3"', '"0"', '"999999999"'):
        for method in ("PATCH", "DELETE"):
            late = change(shared, method, user, resource, revision, name="Third")
            assert (late.status, late.code) == (409, "revision_conflict")
            assert "revision 2" in late.json["error"]["message"]
    assert name_and_revision(shared, user, resource) == ("Second", 2)


@pytest.mark.parametrize("revision", ["abc", '"-1"', '"1.0"', '"1", "2"', "9" * 10, '"', "", " ", "٣"])
def test_if_match_rejects_malformed_revisions(shared: App, revision: str) -> None:
    user = new_user()
    resource = created(shared, user)
    for method in ("PATCH", "DELETE"):
        answer = change(shared, method, user, resource, revision)
        assert (answer.status, answer.json["error"]["details"]["field"]) == (422, "If-Match")
    assert name_and_revision(shared, user, resource) == ("Haiku", 1)


@pytest.mark.parametrize("revision", [None, '"1"'])
@pytest.mark.parametrize(("method", "body"), [("PATCH", {}), ("PATCH", {"slug": "elsewhere"}), ("DELETE", {})])
def test_second_of_two_concurrent_writers_returns_a_conflict(
    shared: App, method: str, body: dict[str, str], revision: str | None
) -> None:
    user = new_user()
    resource = created(shared, user)
    store = a_resource_store(shared)
    old = store.get(resource["resource_id"])
    assert old is not None
    before_the_next_transaction(lambda: store.replace(old, replace(old, name="First", revision=2)))
    late = change(shared, method, user, resource, revision, **body)
    assert (late.status, late.code) == (409, "revision_conflict")
    assert name_and_revision(shared, user, resource) == ("First", 2)
    assert created(shared, user, slug="elsewhere")["slug"] == "elsewhere"


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_write_retries_after_a_transaction_conflict(shared: App, method: str) -> None:
    """DynamoDB cancels one of two concurrent transactions on one item; moto never does."""
    user = new_user()
    resource = created(shared, user)
    reasons = [CONFLICT] if method == "PATCH" else [NO_REASON, CONFLICT]
    cancelled = {"Error": {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"}}
    reply = ({**cancelled, "CancellationReasons": reasons, "ResponseMetadata": {"HTTPStatusCode": 400}},)
    before_the_next_transaction(lambda: (AWSResponse("", 400, {}, None), *reply))
    late = change(shared, method, user, resource, None)
    assert late.status == (200 if method == "PATCH" else 204)
