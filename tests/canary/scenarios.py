"""What the canary goes through: every success, every failure of AWS and upstream, and secrets in every wrong place."""

import json
from collections.abc import Iterator
from typing import Any

from tests.canary.aws_tap import FAULTS
from tests.canary.steps import STEPS
from tests.canary.walk import SERVICE, Ask, Walk, run_of
from tests.fakes.issuer import BAD_TOKENS, FakeIssuer
from tests.fakes.openrouter.chat.wished_errors import KINDS
from tests.integration.app import Answer
from tests.integration.deadlines import little_time
from tests.integration.front import Front
from tests.integration.http.test_bad_requests import BODIES

ANSWERS = (
    *("200-error", "choice-error", "midstream-error", "empty", "null-content", "reasoning-only", "refusal", "weird"),
    *("content-filter", "tool-calls", "huge", "not-json", "cut-json", "truncated", "hang-up", "reset", "gzip", "shred"),
    *("no-usage", "no-cost", "picture polyglot", "link http://127.0.0.1/x.png", "in-words", "error 524"),
)
SLOW = ("drip", "drip-headers", "slow 60")
STATUSES = (200, 302, 400, 401, 402, 403, 404, 408, 413, 429, 500, 502, 503, 524, 529)


def succeed(walk: Walk) -> None:
    """Every route, and whatever starts without one."""
    walk.app.sync()
    for route, step in STEPS.items():
        answer = walk.ask(step(walk))
        assert answer.status < 400, (route, answer.text)
    walk.app.invoke("RankResourcesFunction", {"source": "aws.events"})


def fail_in_aws(walk: Walk) -> None:
    """Each call of each route to AWS meets each fault; the authorizer's, too."""
    for step in STEPS.values():
        walk.front = Front(
            walk.app
        )  # it knows the caller from the first request on, so only the function's calls count
        walk.ask(Ask("GET", "/api/executions"))
        walk.ask(step(walk))
        for number, operation in enumerate(walk.tap.operations):
            for name, fault in FAULTS.items():
                ask = step(walk)
                walk.ask(ask, {number: fault}, f"{ask}, {operation}, {name}")
    for name, fault in FAULTS.items():
        walk.front = Front(walk.app)
        walk.ask(Ask("GET", "/api/resources"), {0: fault}, f"authorizer, {name}")


def fail_upstream(walk: Walk) -> None:
    """Every failure that the double knows, and answers that repeat the key wherever they can."""
    for wish in (*(f"error {kind}" for kind in KINDS), *ANSWERS):
        _run(walk, f"[[fake: {wish}]]")
    for status in (200, 401, 500):
        for body, headers in _echoes(walk.key):
            walk.app.fake.script(status, body, headers, cut=status == 500)
            _run(walk)
    with little_time(walk.app, "ExecuteFunction", 8.2):
        for wish in SLOW:
            _run(walk, f"[[fake: {wish}]]")


def fail_key_checks(walk: Walk) -> None:
    """The service's check or exchange fails, or repeats what was sent, when a key is saved, tested or connected."""
    for status in STATUSES:
        for body, headers in _echoes(walk.key):
            walk.connect()
            walk.app.fake.serve_key(status, body, headers)
            walk.ask(Ask("POST", f"{SERVICE}/test"))
            walk.ask(Ask("POST", SERVICE, {"api_key": walk.key}))
            walk.app.fake.know_keys_again()
    for status in (200, 400, 403, 429, 500):
        for body, _ in _echoes(" ".join([walk.key, *walk.allowed.values()])):
            walk.app.fake.script_exchange(status, body)
            walk.ask(Ask("POST", f"{SERVICE}/connect/complete", walk.allowed))
    walk.app.fake.revoked_keys.add(walk.key)
    walk.ask(Ask("POST", f"{SERVICE}/test"))
    walk.ask(Ask("POST", SERVICE, {"api_key": walk.key}))
    walk.ask(Ask("POST", "/api/execute", run_of(walk.writer)))
    walk.app.fake.revoked_keys.clear()


def misplace(walk: Walk, issuer: FakeIssuer) -> None:
    """Secrets where they do not belong: in other fields, in names, in paths, queries and headers, half and damaged."""
    token = issuer.token("canary")
    walk.secrets.append(token.rpartition(".")[2])
    for secret in (walk.key, walk.token, token, walk.allowed["code_verifier"]):
        for ask in (*_in_bodies(secret), *_in_paths(secret), *_in_queries(secret), *_in_headers(secret)):
            answer = walk.ask(ask, place=f"{ask.method} with a misplaced secret")
            assert answer.status >= 400, (ask.method, ask.headers.keys(), answer.status)
    for damaged in (f"{walk.key}\n", f" {walk.key}", f"Bearer {walk.key}", f"{walk.key[:30]}\0{walk.key[30:]}"):
        walk.ask(Ask("POST", SERVICE, {"api_key": damaged}))
    for forge in BAD_TOKENS.values():
        _with_token(walk, forge(issuer))
    for damaged in (walk.token[:-1], f"{walk.token}x", f"{walk.token} {walk.token}", walk.key):
        _with_token(walk, damaged)


def _run(walk: Walk, prompt: str = "Say hello.") -> Answer:
    answer = walk.ask(Ask("POST", "/api/execute", run_of(walk.writer, prompt)), place=f"execute, {prompt}")
    if "credential_rejected" in answer.text:
        walk.connect()
    return answer


def _echoes(key: str) -> Iterator[tuple[bytes, dict[str, str]]]:
    """Answers that repeat the key in all their parts: as JSON and as a page."""
    headers = {"X-Generation-Id": key, "Retry-After": key, "Set-Cookie": f"key={key}", "X-Key": f"Bearer {key}"}
    said = {"role": "assistant", "content": f"Your key is {key}.", "reasoning": key, "refusal": key}
    cited = {"annotations": [{"type": "url_citation", "url_citation": {"url": f"https://x/{key}", "title": key}}]}
    call = {"id": key, "type": "function", "function": {"name": key, "arguments": f'{{"key": "{key}"}}'}}
    choice = {"message": {**said, **cited, "tool_calls": [call]}, "finish_reason": key, "native_finish_reason": key}
    chat = {"id": key, "model": key, "provider": key, "choices": [choice], "usage": {"cost": 0.001, "who": key}}
    error = {"message": f"Invalid key {key}", "code": key, "metadata": {"raw": key, "provider_name": key, key: key}}
    about = {"label": key, "limit_remaining": key, key: key}
    for body in (chat, {"error": error, "user_id": key}, {"data": about}):
        yield json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    yield f"<html><body>{key}</body></html>".encode(), {"Content-Type": "text/html", "Location": f"/{key}", **headers}


def _in_bodies(secret: str) -> Iterator[Ask]:
    for (method, path), good in BODIES.items():
        target = path.format(resource_id="res_00000000000000000000000000", service="openrouter")
        wrong: list[Any] = [{**good, secret: secret}, {secret: {secret: [secret]}}, [secret], secret]
        wrong += [{**good, field: [secret, {secret: secret}]} for field in good]
        wrong += [{**good, field: {secret: secret}} for field in good]
        for body in wrong:
            yield Ask(method, target, body)
        yield Ask(method, target, f'{{"{secret}": "{secret}')
        yield Ask(method, target, f"{secret}={secret}", {"Content-Type": "application/x-www-form-urlencoded"})
    draft = BODIES["POST", "/api/resources"]
    for model in (secret, f"{secret}/"):
        yield Ask("POST", "/api/resources", {**draft, "config": {"model": model}})
    yield Ask("POST", "/api/execute", {"resource_id": secret, "inputs": {}})
    yield Ask("POST", "/api/execute", {"resource": f"u/{secret}", "inputs": {}})


def _in_paths(secret: str) -> Iterator[Ask]:
    for method, path in STEPS:
        if "{" in path and "{author}" not in path:  # a model may have a name as long as a key: it is looked up
            names = dict.fromkeys(("execution_id", "image_id", "resource_id", "service", "key_id"), secret)
            body = BODIES.get((method, path))
            yield Ask(method, path.format(**names, author=secret, slug=secret), body)
    yield Ask("GET", f"/api/{secret}")
    yield Ask("GET", f"/{secret}?{secret}")


def _in_queries(secret: str) -> Iterator[Ask]:
    for path in ("/api/resources", "/api/executions", "/api/models", "/api/openapi.json"):
        yield Ask("GET", f"{path}?{secret}={secret}")
    for name in ("limit", "cursor", "sort", "listing"):
        yield Ask("GET", f"/api/resources?{name}={secret}")


def _in_headers(secret: str) -> Iterator[Ask]:
    run = {"resource_id": "res_00000000000000000000000000", "inputs": {}}
    for name in ("Idempotency-Key", "Content-Type", "Cookie", "X-Api-Key", "User-Agent", "Accept", "Referer"):
        yield Ask("POST", "/api/execute", run, {name: secret})
    yield Ask("DELETE", "/api/resources/res_00000000000000000000000000", headers={"If-Match": secret})


def _with_token(walk: Walk, token: str) -> None:
    answer = walk.front.ask("GET", "/api/resources", token=token)
    assert answer.status == 401
    walk.sinks.answer("a wrong token", answer)
