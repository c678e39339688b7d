"""Tenant isolation: bob sends each request of alice first, and cannot find out whether its resource exists."""

import os
import re
from dataclasses import dataclass
from typing import Any

from schemathesis import Case, Response

from tests.integration.app import GOOD_KEY
from tests.timeouts import HANG_SECONDS

_KEYS = {user: {"Authorization": f"Bearer {os.environ[user.upper()]}"} for user in ("alice", "bob")}
_ID = re.compile(r"(res|exe|img|key)_[0-9A-Z]{26}")
_ADDRESS = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")
_SHARED = {
    ("GET", "/api/resources/{resource_id}"),
    ("POST", "/api/execute"),
    ("POST", "/api/execute/stream"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/responses"),
    ("POST", "/v1/embeddings"),
    ("GET", "/v1/models/{model}"),
    ("GET", "/v1/models/{model}/{slug}"),
}
"""Routes that other users can use if the resource is not private."""


@dataclass(frozen=True)
class BobResponses:
    """The responses to bob for an object of alice, and for one that does not exist."""

    existing: Response
    missing: Response


_responses: dict[str, BobResponses] = {}
"""By the id of the case, until the check removes them."""


def send_as_bob(case: Case[Any]) -> None:
    """Send the next request of alice as bob, if it contains an id or an address."""
    if missing := _for_missing(case):
        _responses[case.id] = BobResponses(_send(case.derive(), "bob"), _send(missing, "bob"))


def check_bob_learned_nothing(case: Case[Any]) -> None:
    """Assert that bob gets the same response as for a missing object, unless the resource is shared."""
    got = _responses.pop(case.id, None)
    if got is None or _status_and_text(got.existing) == _status_and_text(got.missing):
        return
    is_shared = (case.method, case.path) in _SHARED and _visibility(case) != "private"
    assert is_shared, f"bob got {_status_and_text(got.existing)}, for a missing object {_status_and_text(got.missing)}"


def read_again(case: Case[Any]) -> Response | None:
    """Read the path of a deletion as alice; None if it has no GET operation."""
    operations = case.operation.schema[case.path]
    if "get" not in map(str.lower, operations):
        return None
    return _send(operations["GET"].Case(path_parameters=dict(case.path_parameters)), "alice")


def connect(case: Case[Any]) -> None:
    """Save an OpenRouter key for alice: other cases change and delete her integration."""
    save = case.operation.schema["/api/user/integrations/{service}"]["POST"]
    body = {"api_key": GOOD_KEY, "max_cost_per_call_usd": "0.25"}
    path = {"service": "openrouter"}
    _send(save.Case(path_parameters=path, body=body, media_type="application/json"), "alice")


def _for_missing(case: Case[Any]) -> Case[Any] | None:
    """The same request for an object that does not exist; None if the case has no id and no address."""
    missing, body = case.derive(), _body_of(case)
    for name, value in (case.path_parameters or {}).items():
        if found := _ID.fullmatch(str(value)):
            missing.path_parameters[name] = f"{found[1]}_{'Z' * 26}"
            return missing
    if place := _place_of_name(case):
        is_id = _ID.fullmatch(body[place])
        missing.body = {**body, place: f"res_{'Z' * 26}" if is_id else "nobody/nothing"}
        return missing
    return None


def _body_of(case: Case[Any]) -> Any:
    """The body of the case; it is an object where a place of it is asked for."""
    return case.body


def _place_of_name(case: Case[Any]) -> str | None:
    """The field of the body that has the id or the address of a resource."""
    for place in ("model",) if case.path.startswith("/v1/") else ("resource_id", "resource"):
        name = case.body.get(place) if isinstance(case.body, dict) else None
        if isinstance(name, str) and (_ID.fullmatch(name) or (place != "resource_id" and _ADDRESS.fullmatch(name))):
            return place
    return None


def _visibility(case: Case[Any]) -> str:
    """The visibility of the resource in the case, read as its owner."""
    place, path = _place_of_name(case), case.path_parameters
    name = path.get("resource_id") or path.get("model") or _body_of(case)[place or ""]
    if _ID.fullmatch(name):
        parameters = {"resource_id": name}
        return str(_read_as_alice(case, "/api/resources/{resource_id}", path_parameters=parameters)["visibility"])
    page = _read_as_alice(case, "/api/resources", query={"limit": 200})
    while not (found := [row for row in page["data"] if row["address"] == name]):
        page = _read_as_alice(case, "/api/resources", query={"limit": 200, "cursor": page["next_cursor"]})
    return str(found[0]["visibility"])


def _read_as_alice(case: Case[Any], path: str, **parameters: Any) -> Any:
    """The JSON that alice gets from this path."""
    return _send(case.operation.schema[path]["GET"].Case(**parameters), "alice").json()


def _send(case: Case[Any], user: str) -> Response:
    response: Response = case.operation.schema.transport.send(case, headers=_KEYS[user], timeout=HANG_SECONDS)
    return response


def _status_and_text(response: Response) -> tuple[int, str]:
    return response.status_code, response.text
