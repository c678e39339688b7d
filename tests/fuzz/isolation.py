"""A stranger cannot tell that a thing is there: whatever alice sends about one, bob sends first."""

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
_SHARED = {("GET", "/api/resources/{resource_id}"), ("POST", "/api/execute")}
"""What is open to strangers where the resource is not private."""


@dataclass(frozen=True)
class Answers:
    """What bob was answered about a thing, and about one that does not exist."""

    thing: Response
    nothing: Response


_answers: dict[str, Answers] = {}
"""By the id of the case, until the check takes it out."""


def let_bob_try(case: Case[Any]) -> None:
    """Let bob send the request that alice is about to send, if it names a thing."""
    if missing := _of_nothing(case):
        _answers[case.id] = Answers(_send(case.derive(), "bob"), _send(missing, "bob"))


def refuse_what_bob_learned(case: Case[Any]) -> None:
    """Bob is told of alice's things what he is told of missing ones, unless she shares them."""
    told = _answers.pop(case.id, None)
    if told is None or _words(told.thing) == _words(told.nothing):
        return
    is_shared = (case.method, case.path) in _SHARED and _visibility(case) != "private"
    assert is_shared, f"a stranger was answered {_words(told.thing)}, and of a missing thing {_words(told.nothing)}"


def look_again(case: Case[Any]) -> Response | None:
    """What alice finds where she has just deleted something; None where nothing can be read."""
    operations = case.operation.schema[case.path]
    if "get" not in map(str.lower, operations):
        return None
    return _send(operations["GET"].Case(path_parameters=dict(case.path_parameters)), "alice")


def connect(case: Case[Any]) -> None:
    """Connect a key for alice: other cases change and delete her connection."""
    save = case.operation.schema["/api/user/integrations/{service}"]["POST"]
    body = {"api_key": GOOD_KEY, "max_cost_per_call_usd": "0.25"}
    path = {"service": "openrouter"}
    _send(save.Case(path_parameters=path, body=body, media_type="application/json"), "alice")


def _of_nothing(case: Case[Any]) -> Case[Any] | None:
    """The same request about a thing that does not exist; None if the case names no thing."""
    missing, body = case.derive(), case.body
    for name, value in (case.path_parameters or {}).items():
        if found := _ID.fullmatch(str(value)):
            missing.path_parameters[name] = f"{found[1]}_{'Z' * 26}"
            return missing
    if isinstance(body, dict) and _ID.fullmatch(str(body.get("resource_id"))):
        missing.body = {**body, "resource_id": f"res_{'Z' * 26}"}
        return missing
    if isinstance(body, dict) and _ADDRESS.fullmatch(str(body.get("resource"))):
        missing.body = {**body, "resource": "nobody/nothing"}
        return missing
    return None


def _visibility(case: Case[Any]) -> str:
    """How visible the resource is that the case names, as its owner sees it."""
    body: Any = case.body
    named = case.path_parameters.get("resource_id") or body.get("resource_id")
    if named:
        return str(_ask(case, "/api/resources/{resource_id}", path_parameters={"resource_id": named})["visibility"])
    page = _ask(case, "/api/resources", query={"limit": 200})
    while not (found := [row for row in page["data"] if row["address"] == body["resource"]]):
        page = _ask(case, "/api/resources", query={"limit": 200, "cursor": page["next_cursor"]})
    return str(found[0]["visibility"])


def _ask(case: Case[Any], path: str, **parameters: Any) -> Any:
    """What alice reads there."""
    return _send(case.operation.schema[path]["GET"].Case(**parameters), "alice").json()


def _send(case: Case[Any], user: str) -> Response:
    response: Response = case.operation.schema.transport.send(case, headers=_KEYS[user], timeout=HANG_SECONDS)
    return response


def _words(response: Response) -> tuple[int, str]:
    return response.status_code, response.text
