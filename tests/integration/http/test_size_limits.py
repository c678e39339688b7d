"""Every limit of `domain/limits.py` accepts values up to it and rejects one more, naming the number."""

import ast
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from instant.domain import limits
from tests.architecture.project import CORE, ROOT
from tests.integration.app import EMBEDDER, EMBEDDINGS, Answer, App
from tests.integration.synced_app import MODEL, deployed_synced_app, new_user

type Config = dict[str, Any]

HELLO = {"prompt": "hello"}
LINK = "https://pictures.example/a.png"
VISION_MODEL = "google/gemma-3-12b-it"


@dataclass(frozen=True)
class Attempt:
    """A request of some size, and the status of its response if no limit is exceeded."""

    method: str
    path: str
    raw: str
    expected: int


@pytest.fixture(scope="module")
def shared() -> Iterator[App]:
    with deployed_synced_app() as app:
        yield app


def preview(config: Config, inputs: Any = None, kind: str = "openrouter_instant", expected: int = 200) -> Attempt:
    body = {"resource_type": kind, "config": {"model": MODEL, **config}, "inputs": HELLO if inputs is None else inputs}
    return Attempt("POST", "/api/resources/preview", json.dumps(body), expected)


def created(config: Config, **fields: Any) -> Attempt:
    body = {"resource_type": "openrouter_instant", "name": "x", "config": {"model": MODEL, **config}, **fields}
    return Attempt("POST", "/api/resources", json.dumps(body), 201)


def padded(attempt: Attempt, size: int) -> Attempt:
    """Return the attempt with a body padded with spaces."""
    return Attempt(attempt.method, attempt.path, attempt.raw.ljust(size), attempt.expected)


def text(size: int) -> str:
    """Return text of `size` bytes with fewer characters."""
    return "é" * 99 + "x" * (size - 198)


def template(properties: dict[str, Any], inputs: dict[str, Any], of: str = "Hello.") -> Attempt:
    """Return a preview of a template with these inputs."""
    schema = {"type": "object", "properties": properties}
    return preview({"template": of, "input_schema": schema}, inputs, "prompt_template")


def conversation(*messages: Any, times: int = 1) -> Attempt:
    """Return a preview of a conversation of these messages, repeated."""
    return preview({}, {"messages": [*messages] * times})


def embedded(texts: list[str], encoding: str) -> Attempt:
    """Return a preview of embedding these texts."""
    return preview({"model": EMBEDDER}, {"input": texts, "encoding_format": encoding}, EMBEDDINGS)


def a_file(name: str) -> dict[str, Any]:
    """Return a part of a message with a file of this name."""
    return {"type": "file", "file": {"filename": name, "file_data": b64encode(b"%PDF-1.7").decode()}}


def data(value: Any) -> Attempt:
    """Return a preview of a template that accepts any JSON."""
    return template({"data": {}}, {"data": value}, "{{data}}")


def deep(levels: int) -> Attempt:
    """Return a body with `levels` levels: the body, its inputs, and nested lists."""
    value: Any = 0
    for _ in range(levels - 2):
        value = [value]
    return data(value)


def many(values: int) -> Attempt:
    """Return a body with `values` objects, lists and members."""
    fixed = counted(json.loads(data([0]).raw))
    return data([0] * (values - fixed + 1))


def counted(value: Any) -> int:
    """Count objects, lists and members; the first member counts together with its container."""
    if not isinstance(value, dict | list):
        return 0
    members = list(value.values()) if isinstance(value, dict) else value
    return max(1, len(members)) + sum(map(counted, members))


def settings_of(size: int) -> Attempt:
    """Return settings whose stored form has `size` bytes, in which each é takes six."""
    room = size - len(json.dumps({"model": MODEL, "system_prompt": ""}))
    return created({"system_prompt": "é" * (room // 6) + "x" * (room % 6)})


def schema_of(depth: int) -> Attempt:
    """Return an input whose schema has `depth` levels; the schema of all inputs is level 0."""
    part: dict[str, Any] = {"type": "string"}
    for _ in range(depth - 1):
        part = {"type": "array", "items": part}
    return template({"data": part}, {"data": []} if depth > 1 else {"data": "x"})


def checked(steps: int) -> Attempt:
    """Return inputs that take `steps` steps to check: a long list with many rules, and a short one."""
    return template(*with_steps(steps, {"items": {"allOf": [{"type": "integer"}] * 48}}, lambda length: 99 * length))


def compared(steps: int) -> Attempt:
    """Return the same for a list whose elements are compared with each other."""
    return template(*with_steps(steps, {"type": "array", "uniqueItems": True}, lambda length: (3 + length) * length))


def checked_by_default(steps: int) -> Attempt:
    """Return the same for default inputs of the schema."""
    properties, inputs = with_steps(steps, {"items": {"allOf": [{"type": "integer"}] * 48}}, lambda length: 99 * length)
    return template({name: {**part, "default": inputs[name]} for name, part in properties.items()}, {})


def with_steps(steps: int, rule: Config, cost: Callable[[int], int]) -> tuple[Config, Config]:
    """Return properties and inputs that take `steps` steps to check."""
    long = max(length for length in range(5_000) if cost(length) < steps)
    inputs = {"long": list(range(long - 1)), "rest": [0] * (steps - cost(long) - 1)}
    return {"long": rule, "rest": {}}, inputs


def tool(**fields: Any) -> Config:
    return {"function": {"name": "f", **fields}}


ELSEWHERE = {
    "MAX_RESPONSE_BYTES": "unit/domain/executions/test_delivery.py",
    "MAX_BUDGETS": "integration/usage/test_budget_routes.py",
    "MAX_USAGE_DAYS": "unit/domain/usage/test_report.py",
    "MAX_USAGE_ROWS": "unit/domain/usage/test_report.py",
}
"""Limits on something other than a body, and the files that test them."""

CASES: dict[str, list[Callable[[int], Attempt]]] = {
    "MAX_BODY_BYTES": [lambda n: padded(created({}), n)],
    "MAX_MEDIA_BODY_BYTES": [
        lambda n: padded(preview({}), n),
        lambda n: padded(Attempt("POST", "/api/execute", '{"resource_id": "res_1", "inputs": {}}', 404), n),
    ],
    "MAX_JSON_DEPTH": [deep],
    "MAX_JSON_VALUES": [many],
    "MAX_NUMBER_DIGITS": [lambda n: data(10 ** (n - 1)), lambda n: data(-(10 ** (n - 1)))],
    "MAX_TEXT_BYTES": [
        lambda n: preview({}, {"prompt": text(n)}),
        lambda n: preview({"system_prompt": text(n)}),
        lambda n: preview(
            {"template": text(n), "input_schema": {"type": "object", "properties": {}}}, {}, "prompt_template"
        ),
        lambda n: template({"topic": {"type": "string"}}, {"topic": text(n - 1)}, "-{{topic}}"),
    ],
    "MAX_CONFIG_BYTES": [settings_of],
    "MAX_MESSAGES": [lambda n: conversation({"role": "user", "content": "hello"}, times=n)],
    "MAX_MESSAGES_BYTES": [
        lambda n: conversation({"role": "user", "content": text(n)}),
        lambda n: conversation({"role": "user", "content": "hello"}, {"role": "user", "content": text(n - 5)}),
    ],
    "MAX_FILE_NAME_CHARACTERS": [lambda n: conversation({"role": "user", "content": [a_file("x" * n)]})],
    "MAX_IMAGES": [
        lambda n: preview({"model": VISION_MODEL}, {"prompt": "hello", "images": [LINK] * n}),
        lambda n: template({f"i{k}": {"type": "string", "format": "image"} for k in range(n)}, {}),
        lambda n: conversation({"role": "user", "content": [a_file("a.pdf")]}, times=n),
    ],
    "MAX_EMBEDDED_TEXTS": [lambda n: embedded(["x"] * n, "base64")],
    "MAX_EMBEDDED_FLOATS": [lambda n: embedded(["x"] * n, "float")],
    "MAX_EMBEDDED_BYTES": [lambda n: embedded([text(n // 200)] * 199 + [text(n - n // 200 * 199)], "float")],
    "MAX_LINK_CHARACTERS": [
        lambda n: preview({"model": VISION_MODEL}, {"prompt": "hello", "images": [f"{LINK}?".ljust(n, "x")]}),
    ],
    "MAX_INPUTS": [lambda n: template({f"i{k}": {"type": "string"} for k in range(n)}, {})],
    "MAX_SCHEMA_DEPTH": [schema_of],
    "MAX_SCHEMA_STEPS": [checked, checked_by_default, compared],
    "MAX_PATTERNS": [lambda n: template({"it": {"allOf": [{"pattern": "x"}] * n}}, {})],
    "MAX_PATTERN_BYTES": [
        lambda n: template({"it": {"pattern": "^é*x*$"}}, {"it": text(n)}),
        lambda n: template({"it": {"pattern": "^é*x*$", "default": text(n)}}, {}),
        lambda n: template(
            {"a": {"items": {"anyOf": [{"pattern": "^x*$"}] * 5}}, "b": {"pattern": "^x*$"}},
            {"a": ["x" * (n // 5)], "b": "x" * (n % 5)},
        ),
    ],
    "MAX_ANSWER_TOKENS": [
        lambda n: preview({"max_tokens": n}, expected=422),
        lambda n: preview({"reasoning": {"max_tokens": n}}, expected=422),
    ],
    "MAX_TOOLS": [lambda n: preview({"tools": [tool(name=f"f{k}") for k in range(n)]})],
    "MAX_STOPS": [lambda n: preview({"stop": ["."] * n})],
    "MAX_STOP_CHARACTERS": [lambda n: preview({"stop": ["." * n]})],
    "MAX_NAME_CHARACTERS": [
        lambda n: created({}, name="x" * n),
        lambda n: Attempt("POST", "/api/user/api-keys", json.dumps({"name": "x" * n, "scopes": ["execute"]}), 201),
    ],
    "MAX_DESCRIPTION_CHARACTERS": [
        lambda n: created({}, description="x" * n),
    ],
    "MAX_TOOL_DESCRIPTION_CHARACTERS": [lambda n: preview({"tools": [tool(description="x" * n)]})],
    "MAX_ID_CHARACTERS": [
        lambda n: Attempt("POST", "/api/execute", json.dumps({"resource_id": "x" * n, "inputs": {}}), 404)
    ],
}
"""Limit -> requests of a size; each is rejected above the limit and returns `expected` up to it."""


def names_limit(answer: Answer, limit: int) -> bool:
    """Return whether the response is an error that names the limit."""
    return answer.status >= 400 and str(limit) in answer.json["error"]["message"]


def test_size_limit_cases_cover_every_limit() -> None:
    tree = ast.parse((CORE / "domain/limits.py").read_text())
    constants = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign)]
    named = {node.id for node in constants if isinstance(node, ast.Name) and node.id.startswith("MAX_")}
    assert named == set(CASES) | set(ELSEWHERE)
    assert [name for name, file in ELSEWHERE.items() if name not in (ROOT / "tests" / file).read_text()] == []


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, makers in CASES.items() for number in range(len(makers))]
)
def test_size_limit_accepts_its_value_and_rejects_one_more(shared: App, name: str, number: int) -> None:
    limit = getattr(limits, name)
    user = new_user()
    for size in (limit - 1, limit, limit + 1):
        attempt = CASES[name][number](size)
        answer = shared.call(attempt.method, attempt.path, raw=attempt.raw, user=user)
        status, has_message, beginning = answer.status, names_limit(answer, limit), answer.text[:300]
        if size > limit:
            assert (status in {400, 413, 422}, has_message) == (True, True), beginning
        else:
            assert (status, has_message) == (attempt.expected, False), beginning
