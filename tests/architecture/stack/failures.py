"""Which log lines the template counts as failures: its filter pattern, read as CloudWatch reads it."""

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
"""The part of the language that the pattern uses, as Python."""


def counts(line: Json) -> bool:
    """Whether CloudWatch counts this JSON line."""
    expression = PATTERN.strip().removeprefix("{").removesuffix("}").strip()
    for theirs, ours in _WORDS:
        expression = re.sub(theirs, ours, expression)
    assert "$" not in expression, f"this reader does not know all of {PATTERN}"

    def at(path: str) -> Json:
        value = line
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return bool(eval(expression, {"at": at, "__builtins__": {}}))
