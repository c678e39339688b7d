"""Evaluates the metric filter patterns of the template on a log line, like CloudWatch."""

import re

from tests.architecture.project import Json, resources

FILTERS = resources("AWS::Logs::MetricFilter")
_WORDS = (
    (r"\$\.([\w.]+) NOT EXISTS", r"(at('\1') is None)"),
    (r'\$\.([\w.]+) = "([\w.]+)\*"', r"str(at('\1')).startswith('\2')"),
    (r'\$\.([\w.]+) = ("[\w ]+")', r"(at('\1') == \2)"),
    (r'\$\.([\w.]+) != ("\w+")', r"(at('\1') not in (None, \2))"),
    (r"&&", " and "),
    (r"\|\|", " or "),
)
"""The syntax elements of the pattern, and their Python equivalents."""


def counts(line: Json, name: str = "FailureCount") -> bool:
    """Whether the metric filter matches this JSON log line."""
    pattern: str = FILTERS[name]["Properties"]["FilterPattern"]
    expression = pattern.strip().removeprefix("{").removesuffix("}").strip()
    for syntax, python in _WORDS:
        expression = re.sub(syntax, python, expression)
    assert "$" not in expression, f"unsupported syntax in {pattern}"

    def at(path: str) -> Json:
        value = line
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return bool(eval(expression, {"at": at, "__builtins__": {"str": str}}))
