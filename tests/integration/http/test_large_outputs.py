"""Answers that are larger than Lambda's response are delivered by URL, to those who may read the execution."""

import json
from urllib.parse import unquote, urlsplit

import pytest

from tests.integration.app import Answer, App
from tests.integration.media import objects
from tests.local.functions.invocation import PAYLOAD_LIMIT

QUOTES = '"' * 1_700_000
LINK = {"Accept": "application/json"}


def _script(app: App, content: str) -> None:
    message = {"role": "assistant", "content": content}
    reply = {"id": "gen-1", "model": "m", "choices": [{"message": message, "finish_reason": "stop"}], "usage": {}}
    app.fake.script(200, json.dumps(reply, ensure_ascii=False).encode())


def _execute(app: App, resource_id: str) -> Answer:
    body = {"resource_id": resource_id, "inputs": {"prompt": "x"}}
    return app.call("POST", "/api/execute", body, headers={"Idempotency-Key": "long"}, key_id="key_alice")


@pytest.fixture
def ran(seeded: App) -> Answer:
    """Return the response of a call whose output is delivered by URL."""
    _script(seeded, QUOTES)
    return _execute(seeded, seeded.resource()["resource_id"])


def _output_path(answer: Answer) -> str:
    return f"/api/executions/{answer.json['execution_id']}/output"


def test_large_output_is_delivered_by_url(seeded: App, ran: Answer) -> None:
    path = _output_path(ran)
    url = f"https://api.example/test{path}?part=content"
    assert ran.status == 200
    assert ran.json["output"] == {"type": "text", "content": None, "url": url, "size_bytes": len(QUOTES)}
    assert ran.json["error"]["code"] == "too_large"
    found = seeded.call("GET", path.removesuffix("/output")).json
    assert (found["status"], found["output"], found["error"]) == ("DONE", ran.json["output"], ran.json["error"])


def test_large_output_is_repeated_byte_for_byte(seeded: App, ran: Answer) -> None:
    repeated = _execute(seeded, seeded.call("GET", "/api/resources").json["data"][0]["resource_id"])
    assert repeated == ran
    assert len(seeded.fake.chat_requests) == 1


def test_output_route_redirects_to_a_download(seeded: App, ran: Answer) -> None:
    answer = seeded.call("GET", _output_path(ran), query={"part": "content"})
    assert (answer.status, answer.headers["Cache-Control"]) == (302, "no-store")
    location = urlsplit(answer.headers["Location"])
    assert "response-content-disposition=attachment; filename=content.txt" in unquote(location.query)
    stored = objects(seeded)[f"media/outputs/{ran.json['execution_id']}/content.txt"]
    assert location.path.endswith("/content.txt")
    assert (stored["Body"].decode(), stored["ContentType"]) == (QUOTES, "text/plain; charset=utf-8")


def test_output_route_returns_the_whole_output_as_json(seeded: App, ran: Answer) -> None:
    for _ in range(2):
        link = seeded.call("GET", _output_path(ran), headers=LINK)
        assert (link.status, set(link.json)) == (200, {"url", "expires_at"})
    stored = objects(seeded)[f"media/outputs/{ran.json['execution_id']}/output.json"]
    assert json.loads(stored["Body"]) == {"type": "text", "content": QUOTES}


def test_output_route_has_the_access_rule_of_the_execution(seeded: App, ran: Answer) -> None:
    path = _output_path(ran)
    missing = seeded.call("GET", "/api/executions/exe_none/output")
    assert (missing.status, missing.code) == (404, "not_found")
    assert seeded.call("GET", path, user="bob") == missing
    assert seeded.call("GET", path, scopes="execute", key_id="key_other") == missing
    assert seeded.call("GET", path, scopes="execute", key_id="key_alice").status == 302
    assert seeded.call("GET", path, query={"part": "secrets"}).status == 422


def test_execution_without_an_output_has_no_link(seeded: App) -> None:
    seeded.fake.script(400, b'{"error":{"code":400,"message":"no"}}')
    failed = seeded.execute(seeded.resource()["resource_id"])
    answer = seeded.call("GET", f"/api/executions/{failed.json['error']['execution_id']}/output")
    assert (answer.status, answer.code) == (404, "not_found")
    assert "no stored output" in answer.json["error"]["message"]


@pytest.mark.parametrize("text", ["中" * 1_000_000, "😀" * 900_000, '"' * 1_500_000], ids=["3", "4", "quote"])
def test_output_below_the_limit_is_inline(seeded: App, text: str) -> None:
    _script(seeded, text)
    ran = _execute(seeded, seeded.resource()["resource_id"])
    assert ran.json["output"]["content"] == text
    assert len(json.dumps(ran.text, ensure_ascii=False).encode()) < PAYLOAD_LIMIT
