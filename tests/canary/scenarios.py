"""The requests of the canary: successes, faults of AWS and of OpenRouter, and misplaced secrets."""

import json
from collections.abc import Iterator
from typing import Any

from tests.canary.aws_tap import FAULTS
from tests.canary.client import SERVICE, Canary, Request, run_of
from tests.canary.steps import STEPS
from tests.fakes.issuer import BAD_TOKENS, FakeIssuer
from tests.fakes.openrouter.chat.error_directives import KINDS
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


def call_every_route(canary: Canary) -> None:
    """Call every route and every scheduled function."""
    canary.app.sync()
    for route, step in STEPS.items():
        answer = canary.send(step(canary))
        assert answer.status < 400, (route, answer.text)
    canary.app.invoke("RankResourcesFunction", {"source": "aws.events"})


def inject_aws_faults(canary: Canary) -> None:
    """Inject each fault into each AWS call of each route, and of the authorizer."""
    for step in STEPS.values():
        canary.front = Front(canary.app)  # caches the caller: only the calls of the function are counted below
        canary.send(Request("GET", "/api/executions"))
        canary.send(step(canary))
        for number, operation in enumerate(canary.tap.operations):
            for name, fault in FAULTS.items():
                request = step(canary)
                canary.send(request, {number: fault}, f"{request}, {operation}, {name}")
    for name, fault in FAULTS.items():
        canary.front = Front(canary.app)
        canary.send(Request("GET", "/api/resources"), {0: fault}, f"authorizer, {name}")


def inject_upstream_failures(canary: Canary) -> None:
    """Execute with every failure of the fake OpenRouter, and with responses that contain the key in every field."""
    for directive in (*(f"error {kind}" for kind in KINDS), *ANSWERS):
        _run(canary, f"[[fake: {directive}]]")
    for status in (200, 401, 500):
        for body, headers in _echoes(canary.key):
            canary.app.fake.script(status, body, headers, cut=status == 500)
            _run(canary)
    with little_time(canary.app, "ExecuteFunction", 8.2):
        for directive in SLOW:
            _run(canary, f"[[fake: {directive}]]")


def inject_key_check_failures(canary: Canary) -> None:
    """Save, test and connect a key while its check or the exchange fails or repeats the request."""
    for status in STATUSES:
        for body, headers in _echoes(canary.key):
            canary.connect()
            canary.app.fake.serve_key(status, body, headers)
            canary.send(Request("POST", f"{SERVICE}/test"))
            canary.send(Request("POST", SERVICE, {"api_key": canary.key}))
            canary.app.fake.stop_serving_key()
    for status in (200, 400, 403, 429, 500):
        for body, _ in _echoes(" ".join([canary.key, *canary.authorization.values()])):
            canary.app.fake.script_exchange(status, body)
            canary.send(Request("POST", f"{SERVICE}/connect/complete", canary.authorization))
    canary.app.fake.revoked_keys.add(canary.key)
    canary.send(Request("POST", f"{SERVICE}/test"))
    canary.send(Request("POST", SERVICE, {"api_key": canary.key}))
    canary.send(Request("POST", "/api/execute", run_of(canary.text_resource)))
    canary.app.fake.revoked_keys.clear()


def misplace_secrets(canary: Canary, issuer: FakeIssuer) -> None:
    """Send secrets in wrong fields, names, paths, queries and headers, and damaged secrets."""
    token = issuer.token("canary")
    canary.secrets.append(token.rpartition(".")[2])
    for secret in (canary.key, canary.token, token, canary.authorization["code_verifier"]):
        for request in (*_in_bodies(secret), *_in_paths(secret), *_in_queries(secret), *_in_headers(secret)):
            answer = canary.send(request, place=f"{request.method} with a misplaced secret")
            assert answer.status >= 400, (request.method, request.headers.keys(), answer.status)
    for damaged in (
        f"{canary.key}\n",
        f" {canary.key}",
        f"Bearer {canary.key}",
        f"{canary.key[:30]}\0{canary.key[30:]}",
    ):
        canary.send(Request("POST", SERVICE, {"api_key": damaged}))
    for forge in BAD_TOKENS.values():
        _with_token(canary, forge(issuer))
    for damaged in (canary.token[:-1], f"{canary.token}x", f"{canary.token} {canary.token}", canary.key):
        _with_token(canary, damaged)


def _run(canary: Canary, prompt: str = "Say hello.") -> Answer:
    answer = canary.send(
        Request("POST", "/api/execute", run_of(canary.text_resource, prompt)), place=f"execute, {prompt}"
    )
    if "credential_rejected" in answer.text:
        canary.connect()
    return answer


def _echoes(key: str) -> Iterator[tuple[bytes, dict[str, str]]]:
    """Responses that contain the key in every field, as JSON and as HTML."""
    headers = {"X-Generation-Id": key, "Retry-After": key, "Set-Cookie": f"key={key}", "X-Key": f"Bearer {key}"}
    message = {"role": "assistant", "content": f"Your key is {key}.", "reasoning": key, "refusal": key}
    cited = {"annotations": [{"type": "url_citation", "url_citation": {"url": f"https://x/{key}", "title": key}}]}
    call = {"id": key, "type": "function", "function": {"name": key, "arguments": f'{{"key": "{key}"}}'}}
    choice = {"message": {**message, **cited, "tool_calls": [call]}, "finish_reason": key, "native_finish_reason": key}
    chat = {"id": key, "model": key, "provider": key, "choices": [choice], "usage": {"cost": 0.001, "who": key}}
    error = {"message": f"Invalid key {key}", "code": key, "metadata": {"raw": key, "provider_name": key, key: key}}
    about = {"label": key, "limit_remaining": key, key: key}
    for body in (chat, {"error": error, "user_id": key}, {"data": about}):
        yield json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    yield f"<html><body>{key}</body></html>".encode(), {"Content-Type": "text/html", "Location": f"/{key}", **headers}


def _in_bodies(secret: str) -> Iterator[Request]:
    for (method, path), good in BODIES.items():
        target = path.format(resource_id="res_00000000000000000000000000", service="openrouter")
        wrong: list[Any] = [{**good, secret: secret}, {secret: {secret: [secret]}}, [secret], secret]
        wrong += [{**good, field: [secret, {secret: secret}]} for field in good]
        wrong += [{**good, field: {secret: secret}} for field in good]
        for body in wrong:
            yield Request(method, target, body)
        yield Request(method, target, f'{{"{secret}": "{secret}')
        yield Request(method, target, f"{secret}={secret}", {"Content-Type": "application/x-www-form-urlencoded"})
    draft = BODIES["POST", "/api/resources"]
    for model in (secret, f"{secret}/"):
        yield Request("POST", "/api/resources", {**draft, "config": {"model": model}})
    yield Request("POST", "/api/execute", {"resource_id": secret, "inputs": {}})
    yield Request("POST", "/api/execute", {"resource": f"u/{secret}", "inputs": {}})


def _in_paths(secret: str) -> Iterator[Request]:
    for method, path in STEPS:
        if "{" in path and "{author}" not in path:  # a model id may be as long as a key, so that the request is valid
            names = dict.fromkeys(("execution_id", "image_id", "resource_id", "service", "key_id", "model"), secret)
            body = BODIES.get((method, path))
            yield Request(method, path.format(**names, author=secret, slug=secret), body)
    yield Request("GET", f"/api/{secret}")
    yield Request("GET", f"/{secret}?{secret}")


def _in_queries(secret: str) -> Iterator[Request]:
    for path in ("/api/resources", "/api/executions", "/api/models", "/api/openapi.json"):
        yield Request("GET", f"{path}?{secret}={secret}")
    for name in ("limit", "cursor", "sort", "listing"):
        yield Request("GET", f"/api/resources?{name}={secret}")


def _in_headers(secret: str) -> Iterator[Request]:
    run = {"resource_id": "res_00000000000000000000000000", "inputs": {}}
    for name in ("Idempotency-Key", "Content-Type", "Cookie", "X-Api-Key", "User-Agent", "Accept", "Referer"):
        yield Request("POST", "/api/execute", run, {name: secret})
    yield Request("DELETE", "/api/resources/res_00000000000000000000000000", headers={"If-Match": secret})


def _with_token(canary: Canary, token: str) -> None:
    answer = canary.front.ask("GET", "/api/resources", token=token)
    assert answer.status == 401
    canary.sinks.answer("a wrong token", answer)
