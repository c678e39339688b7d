"""Generates parts of README.md and docs/: `python -m tests.architecture.documents` writes them.

A generated part is between `<!-- name -->` and `<!-- /name -->`. With `--bench`, the last table of `make bench` is
copied too; no test compares it, because its values depend on the machine and the run.
"""

import ast
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from textwrap import fill

from pydantic import BaseModel

from instant.domain import limits
from instant.domain.access.identity import Scope
from instant.domain.catalog.pricing import PRICE_KEYS
from instant.domain.error_bodies.classes import every_error
from instant.domain.error_bodies.fields import error_type
from instant.entrypoints.openai.chat_body import ChatBody
from instant.entrypoints.openai.embeddings import EmbeddingsBody
from instant.entrypoints.openai.errors import CLASSES, MAY_HAVE_COST, SHOULD_RETRY, openai_response
from instant.entrypoints.openai.parameters import ignored, passed_on, refused
from instant.entrypoints.openai.responses.body import ResponsesBody
from instant.entrypoints.scopes import SCOPES, what_it_allows
from instant.resource_types import input_schema
from tests.architecture.project import CORE, ROOT, Json, functions, resources, template
from tests.openapi.openai_errors import openai_errors

README = ROOT / "README.md"
API = ROOT / "docs/api.md"
BENCHMARKS = ROOT / "docs/benchmarks.md"
GUARANTEES = ROOT / "docs/guarantees.md"
CONTRIBUTING = ROOT / "docs/contributing.md"
OPERATIONS = ROOT / "docs/operations.md"
KEYWORDS = input_schema._ANNOTATIONS | input_schema._ASSERTIONS | input_schema._APPLICATORS
RATES = ("RatePerMinute", "ExecutePerMinute", "MostInFlight", "KeyChecksPerHour", "ResourcesPerUser", "ApiKeysPerUser")
"""The template parameters that limit callers."""


def function_table() -> str:
    """Every function with its description."""
    return _table("function", "what it does", rows=[(f"`{f.name}`", f.properties["Description"]) for f in functions()])


def route_table() -> str:
    """Every route, its function, whether it needs a token, and its summary in the OpenAPI document."""
    paths = json.loads((CORE / "openapi.json").read_text())["paths"]
    routes = sorted((path, method, function.name) for function in functions() for method, path in function.routes)
    rows = [
        (f"`{method} {path}`", f"`{name}`", "yes" if operation["security"] else "", operation["summary"])
        for path, method, name in routes
        for operation in [paths[path][method.lower()]]
    ]
    return _table("route", "function", "token", "what it does", rows=rows)


def scope_table() -> str:
    """What each scope allows on every route that needs a token."""
    rows = [
        (f"`{route}`", *(what_it_allows(scope, route) for scope in Scope))
        for route in sorted(SCOPES, key=lambda route: route.split()[::-1])
    ]
    return _table("route", *(f"`{scope}`" for scope in Scope), rows=rows)


def error_table() -> str:
    """Every error code, its status and type, whether a retry can succeed, and when it is returned."""
    kinds = sorted({(kind.status, kind.code, kind.retryable, kind.__doc__ or "") for kind in every_error()})
    rows = [
        (str(status), f"`{code}`", f"`{error_type(code, status)}`", "yes" if retryable else "", text)
        for status, code, retryable, text in kinds
    ]
    return _table("status", "code", "type", "retryable", "when", rows=rows)


def openai_error_table() -> str:
    """Every error that /v1 can return: its status there, its code, and what clients do."""
    rows = []
    for error in sorted(openai_errors(), key=lambda error: (error.status, error.code)):
        shown = openai_response(error)
        code, status = json.loads(shown.body or "")["error"]["code"], shown.status_code
        statuses = f"{status}, {MAY_HAVE_COST}" if status >= 500 else str(status)
        repeats = "yes" if shown.headers[SHOULD_RETRY] == "true" else ""
        rows.append((f"`{error.code}`", statuses, f"`{code}`", f"`{CLASSES[status]}`", repeats))
    return _table("our code", "status on /v1", "`code` on /v1", "class in OpenAI's clients", "repeated", rows=rows)


def openai_fields(body: type[BaseModel]) -> Callable[[], str]:
    """How each field of a request is treated: three lists."""

    def lists() -> str:
        named = ", ".join(f"`{name}`" for name, _ in passed_on(body))
        without = [(f"`{name}`", " or ".join(map(_code, mark.values)) or "any") for name, mark in ignored(body)]
        refusing = [(f"`{name}`", mark.instead) for name, mark in refused(body)]
        return "\n\n".join(
            [
                fill(f"Passed on: {named}.", 120),
                "Accepted without effect:",
                _table("field", "values", rows=without),
                "Refused by name (400, `param` names the field):",
                _table("field", "instead", rows=refusing),
            ]
        )

    return lists


def _code(value: object) -> str:
    return f"`{json.dumps(value)}`"


def limit_table() -> str:
    """Every limit on the size of requests, then the rate limits with the defaults of the template."""
    rows = [(f"`{name}`", f"{getattr(limits, name):,}", text) for name, text in _documented(CORE / "domain/limits.py")]
    rates = [(name, template()["Parameters"][name]) for name in RATES]
    rows += [(f"parameter `{name}`", f"{rate['Default']:,}", rate["Description"]) for name, rate in rates]
    return _table("limit", "value", "what it is", rows=rows)


def parameter_table() -> str:
    """Every parameter of the template with its default."""
    parameters: dict[str, Json] = template()["Parameters"]
    rows = [
        (f"`{name}`", f"`{body['Default']}`" if body["Default"] != "" else "empty", body["Description"])
        for name, body in parameters.items()
    ]
    return _table("parameter", "default", "what it is", rows=rows)


def alarm_table() -> str:
    """Every alarm with its description."""
    alarms = resources("AWS::CloudWatch::Alarm")
    rows = [(f"`{name}`", body["Properties"]["AlarmDescription"]) for name, body in alarms.items()]
    return _table("alarm", "what raises it", rows=rows)


def target_table() -> str:
    """Every documented target of the Makefile."""
    targets = re.findall(r"^([a-z0-9-]+):.*?## (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return _table("target", "what it does", rows=[(f"`make {name}`", text) for name, text in targets])


def price_table() -> str:
    """Every price key, and what it is multiplied by in the maximum and in the expected cost."""
    rows = [
        (f"`{name}`", key.worst or "not charged", f"`{key.counter}`" if key.counter else "not reported")
        for name, key in PRICE_KEYS.items()
    ]
    return _table("price", "maximum cost", "expected and recomputed cost", rows=rows)


def keyword_list() -> str:
    """Every JSON Schema keyword that the `input_schema` of a template can use."""
    return fill(", ".join(f"`{keyword}`" for keyword in sorted(KEYWORDS)) + ".", 120)


def _table(*columns: str, rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (columns, *rows)]
    return "\n".join([lines[0], "|---" * len(columns) + "|", *lines[1:]])


def _documented(path: Path) -> Iterator[tuple[str, str]]:
    """Each constant `MAX_...` of a module with its docstring."""
    for node, beneath in pairwise(ast.parse(path.read_text()).body):
        match node, beneath:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(text))):
                if name.startswith("MAX_"):
                    yield name, text


type Parts = Mapping[str, Callable[[], str]]

PARTS: Mapping[Path, Parts] = {
    README: {"functions": function_table},
    API: {
        "routes": route_table,
        "scopes": scope_table,
        "errors": error_table,
        "openai-errors": openai_error_table,
        "chat-fields": openai_fields(ChatBody),
        "responses-fields": openai_fields(ResponsesBody),
        "embeddings-fields": openai_fields(EmbeddingsBody),
        "limits": limit_table,
    },
    GUARANTEES: {"prices": price_table},
    OPERATIONS: {"parameters": parameter_table, "alarms": alarm_table},
    CONTRIBUTING: {"targets": target_table, "keywords": keyword_list},
}
"""The generated parts of each document, by name."""


def with_parts(text: str, parts: Parts) -> str:
    """`text` with each of `parts` regenerated."""
    for name, part in parts.items():
        before, rest = text.split(f"<!-- {name} -->\n", 1)
        _, after = rest.split(f"<!-- /{name} -->", 1)
        text = f"{before}<!-- {name} -->\n{part()}\n<!-- /{name} -->{after}"
    return text


def bench_table() -> str:
    """The last table of `make bench`."""
    return (ROOT / ".aws-sam/bench.md").read_text().strip()


if __name__ == "__main__":
    bench: Mapping[Path, Parts] = {BENCHMARKS: {"bench": bench_table}} if "--bench" in sys.argv else {}
    for document, parts in {**PARTS, **bench}.items():
        document.write_text(with_parts(document.read_text(), parts))
