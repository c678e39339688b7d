"""The parts of README.md that are made from the code: `python -m tests.architecture.readme` writes them anew."""

import ast
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from textwrap import fill

from instant.domain import limits
from instant.domain.errors import every_error
from instant.resource_types import input_schema
from tests.architecture.project import CORE, ROOT, functions, template

README = ROOT / "README.md"
KEYWORDS = input_schema._ANNOTATIONS | input_schema._ASSERTIONS | input_schema._APPLICATORS


def error_table() -> str:
    """Every error code, its status, whether the same call may succeed later, and when it comes."""
    rows = sorted({(kind.status, kind.code, kind.retryable, kind.__doc__ or "") for kind in every_error()})
    lines = [f"| {status} | `{code}` | {'yes' if retry else ''} | {text} |" for status, code, retry, text in rows]
    return "\n".join(["| status | code | retryable | when |", "|---|---|---|---|", *lines])


def function_table() -> str:
    """Every function, its routes and triggers, and what it is for."""
    lines = []
    for function in functions():
        routes = "<br>".join(f"`{method} {path}`" for method, path in sorted(function.routes, key=lambda r: r[::-1]))
        lines.append(f"| `{function.name}` | {routes or 'no route'} | {function.properties['Description']} |")
    return "\n".join(["| function | routes | what it does |", "|---|---|---|", *lines])


def keyword_list() -> str:
    """Every JSON Schema keyword that a template's inputs may use."""
    return fill(", ".join(f"`{keyword}`" for keyword in sorted(KEYWORDS)) + ".", 120)


RATES = ("RatePerMinute", "ExecutePerMinute", "MostInFlight", "KeyChecksPerHour")
"""The parameters of the template that are limits, too."""


def limit_table() -> str:
    """Every limit on what callers send, then how often they may call, as deployed unless told otherwise."""
    sizes = [(name, getattr(limits, name), text) for name, text in _documented(CORE / "domain/limits.py")]
    rates = [(name, template()["Parameters"][name]) for name in RATES]
    lines = [f"| `{name}` | {value:,} | {text} |" for name, value, text in sizes]
    lines += [f"| parameter `{name}` | {rate['Default']:,} | {rate['Description']} |" for name, rate in rates]
    return "\n".join(["| limit | value | what it is |", "|---|---|---|", *lines])


def _documented(path: Path) -> Iterator[tuple[str, str]]:
    """Each constant `MAX_...` of a module with the text beneath it."""
    for node, beneath in pairwise(ast.parse(path.read_text()).body):
        match node, beneath:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(text))):
                if name.startswith("MAX_"):
                    yield name, text


PARTS: dict[str, Callable[[], str]] = {
    "errors": error_table,
    "functions": function_table,
    "keywords": keyword_list,
    "limits": limit_table,
}


def with_parts(text: str) -> str:
    """`text` with everything between `<!-- name -->` and `<!-- /name -->` made from the code."""
    for name, part in PARTS.items():
        before, rest = text.split(f"<!-- {name} -->\n", 1)
        _, after = rest.split(f"<!-- /{name} -->", 1)
        text = f"{before}<!-- {name} -->\n{part()}\n<!-- /{name} -->{after}"
    return text


if __name__ == "__main__":
    README.write_text(with_parts(README.read_text()))
