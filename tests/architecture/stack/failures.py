"""Evaluates the template's metric filter pattern for failures on a log line, like CloudWatch."""

import re

from tests.architecture.project import Json, resources

PATTERN: str = resources("AWS::Logs::MetricFilter")["FailureCount"]["Properties"]["FilterPattern"]
_WORDS = (
    (r"\$\.([\w.]+) NOT EXISTS", r"(at('\1') is None)"),
    (r'\$\.([\w.]+) = ("\w+")', r"(at('\1') == \2)"),
    (r'\$\.([\w.]+) != ("\w+")', r"(at('\1') not in (None, \2))"),
    (r"&&", " and "),
    (r"\|\|", " or "),
)
"""The syntax elements of the pattern, and their Python equivalents."""


def counts(line: Json) -> bool:
    """Whether the metric filter matches this JSON log line."""
    expression = PATTERN.strip().removeprefix("{").removesuffix("}").strip()
    for syntax, python in _WORDS:
        expression = re.sub(syntax, python, expression)
    assert "$" not in expression, f"unsupported syntax in {PATTERN}"

    def at(path: str) -> Json:
        value = line
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return bool(eval(expression, {"at": at, "__builtins__": {}}))
