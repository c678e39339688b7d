"""Bodies made to break a reader: on every route that takes one a 4xx of ours, and nothing is stored or sent."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from instant.entrypoints.strict_json import read_json
from tests.integration.guests import new_user, open_guest_house
from tests.integration.house import TEMPLATE, Answer, House

type Route = tuple[str, str]

FITS = 5_900_000
"""Bytes that pass the largest limit of a body."""

NO_BODY = {("POST", "/api/user/integrations/{service}/test")}


def bodied() -> list[Route]:
    """Every route that takes a body, from the template."""
    functions = [body["Properties"] for body in TEMPLATE["Resources"].values() if body["Type"].endswith("::Function")]
    events = [event["Properties"] for body in functions for event in body.get("Events", {}).values()]
    routes = {(event["Method"], event["Path"]) for event in events if event.get("Method") in {"POST", "PATCH"}}
    return sorted(routes - NO_BODY)


def keys(count: int) -> str:
    return "{" + ",".join(f'"{number}":0' for number in range(count)) + "}"


HOSTILE = {
    "10,000 lists": '{"config":' + "[" * 10_000 + "]" * 10_000 + "}",
    "10,000 objects": '{"a":' * 10_000 + "0" + "}" * 10_000,
    "33 levels": '{"a":' + "[" * 32 + "]" * 32 + "}",
    "lists that nobody closes": '{"config":' + "[" * 300_000,
    "more ends than beginnings": "]}" * 150_000,
    "a million keys": keys(1_000_000),
    "as many keys as fit": keys(500_000),
    "as many keys as fit a small body": keys(35_000) + "}",
    "a million elements": '{"config":[' + "0," * 1_000_000 + "0]}",
    "a million empty objects": '{"config":[' + "{}," * 1_000_000 + "{}]}",
    "a million texts": '{"config":[' + '"",' * 1_000_000 + '""]}',
    "10 MB": '{"name":"' + "x" * 10_000_000 + '"}',
    "quotes without end": '{"name":' + '"' * 300_000,
    "a text without end": '{"name":"' + '\\"' * 150_000,
    "a long text without end": '{"name":"' + '\\"' * (FITS // 2),
    "backslashes without end": '{"name":"' + "\\" * 300_001,
    "commas": "," * 45_000,
    "NUL, raw": '{"name":"a\0b"}',
    "NUL, escaped": '{"name":"a\\u0000b"}',
    "NUL, escaped, behind a long name": '{"' + "n" * 100_000 + '":"\\u0000"}',
    "NUL, escaped, deep down": '{"config":{"a":[["\\u0000"]]}}',
    "NUL, escaped, in a key": '{"config":{"\\u0000":1}}',
    "NUL after the end": '{"name":"a"}\0',
    "half a character": '{"name":"\\ud800"}',
    "half a character, raw": '{"name":"\udfff"}',
    "half a character, the wrong way round": '{"name":"\\udc00\\ud800"}',
    "NaN": '{"config":{"temperature":NaN}}',
    "Infinity": '{"config":{"temperature":Infinity}}',
    "minus Infinity": '{"config":{"temperature":-Infinity}}',
    "1e400": '{"config":{"temperature":1e400}}',
    "-1e400": '{"config":{"temperature":-1e400}}',
    "100,000 digits": '{"config":{"seed":' + "9" * 100_000 + "}}",
    "100,000 digits behind the point": '{"config":{"temperature":0.' + "9" * 100_000 + ',"top_k":NaN}}',
    "a key twice": '{"name":"a","name":"b"}',
    "a key twice, deep down": '{"config":{"a":{"b":1,"b":2}}}',
    "a byte order mark": '\ufeff{"name":"a"}',
    "UTF-16, read as Latin": '{"name":"a"}'.encode("utf-16").decode("latin-1"),
    "nothing": "",
    "blanks": " \n",
    "blanks, as many as fit": " " * FITS,
    "a form": "name=a&config=b",
    "another form of JSON": "{name: 'a'}",
    "a comment": '{"name":"a"} // really',
    "two lines": '{"name":"a"}\n{"name":"a"}',
}

BYTES = {
    "no UTF-8": b'{"name":"\xff\xfe"}',
    "half a character in UTF-8": b'{"name":"\xed\xa0\x80"}',
    "UTF-16": '{"name":"a"}'.encode("utf-16"),
    "UTF-32": '{"name":"a"}'.encode("utf-32"),
    "nothing readable": bytes(range(256)),
    "gzip": bytes.fromhex("1f8b0800000000000203abae0500") * 10,
}


@pytest.fixture(scope="module")
def shared() -> Iterator[House]:
    with open_guest_house() as house:
        yield house


def refused(house: House, route: Route, raw: str, **more: Any) -> None:
    """It is a 4xx in our shape."""
    path = route[1].format(resource_id="res_00000000000000000000000000", service="openrouter")
    assert_ours(house.call(route[0], path, raw=raw, user=new_user(), **more))


def assert_ours(answer: Answer) -> None:
    """The status and the code belong together, and nothing of what was sent is repeated."""
    found = (answer.status, answer.code, len(answer.text) < 500)
    assert found in {(400, "malformed", True), (413, "too_large", True), (422, "invalid_field", True)}
    assert answer.json["error"]["message"]


@pytest.mark.parametrize("route", bodied(), ids=" ".join)
def test_hostile_bodies_are_refused_and_leave_nothing(shared: House, route: Route) -> None:
    before = stored(shared)
    shared.fake.forget_requests()
    for raw in HOSTILE.values():
        if (raw.strip(), route[1]) != ("", "/api/admin/sync-models"):  # its body may be left out
            refused(shared, route, raw)
    for unread in BYTES.values():
        refused(shared, route, b64encode(unread).decode(), is_base64=True)
    refused(shared, route, "no base64 at all", is_base64=True)
    assert stored(shared) == before
    assert shared.fake.requests == []


def stored(house: House) -> list[Any]:
    """Every row but the counts of calls, and those of the catalog, which only its sync may write."""
    variables = {name for plan in house.plan.functions.values() for name in plan.environment}
    tables = {name for name in variables if name.endswith("_TABLE")} - {"LIMITS_TABLE", "MODELS_TABLE"}
    return [house.table(name) for name in sorted(tables)]


def test_what_is_large_and_harmless_is_read() -> None:
    value = {"a": ['[{,"\\'] * 10_000, "b": "\\u0000", "c": {"[": "]"}, "d": "x" * 1_000_000}
    assert read_json(json.dumps(value)) == value


def test_a_good_body_may_come_in_base64(shared: House) -> None:
    body = b64encode('{"name": "Schlüssel", "scopes": ["execute"]}'.encode()).decode()
    answer = shared.call("POST", "/api/user/api-keys", raw=body, user=new_user(), is_base64=True)
    assert (answer.status, answer.json["name"]) == (201, "Schlüssel")
