"""Enforces the functions' policies: every action must be allowed by a statement of the template."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from tests.local.aws.actions import Call, Need
from tests.local.template import Json

_LISTS = {"dynamodb:Attributes", "dynamodb:LeadingKeys", "kms:EncryptionContextKeys"}
_KEYS = re.compile(rf"(kms:EncryptionContext:.+|events:source|events:detail-type|{'|'.join(_LISTS)})$")
_EACH = "ForAllValues:"
_STATEMENT = {"Sid", "Effect", "Action", "Resource", "Condition"}


@lru_cache(maxsize=4096)
def _glob(pattern: str, ignore_case: bool = False) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(text, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def matches(pattern: str, value: str, ignore_case: bool = False) -> bool:
    """Match IAM wildcards: `*` is any text, `?` is one character."""
    return _glob(pattern, ignore_case).fullmatch(value) is not None


def as_list(value: Any) -> list[Any]:
    """Return the value as a list, because IAM allows a single item without brackets."""
    return value if isinstance(value, list) else [value]


type Test = Callable[[str, str], bool]
_TESTS: Mapping[str, tuple[Test, bool]] = {
    "StringEquals": (lambda wanted, actual: wanted == actual, True),
    "StringNotEquals": (lambda wanted, actual: wanted == actual, False),
    "StringLike": (matches, True),
    "StringNotLike": (matches, False),
}


class Permissions:
    """The policy statements of the functions, and the permissions that were used."""

    def __init__(self, statements: Mapping[str, Sequence[Json]]) -> None:
        """Takes the statements by function; raises ValueError for unsupported elements."""
        self.used: set[tuple[str, str, str]] = set()
        self._statements = statements
        for function, owned in statements.items():
            for statement in owned:
                _refuse_unknown(function, statement)

    def denial(self, function: str, call: Call) -> str | None:
        """Return why the call is denied, or None if it is allowed; records the permissions of allowed calls."""
        if not call.needs:
            return f"{function} called {call.service}:{call.operation}, which the local stack does not know"
        for need in call.needs:
            if not self._allows(function, need):
                conditions = f" with {dict(need.context)}" if need.context else ""
                return f"{function} is not allowed {need.action} on {need.resource}{conditions}"
        self.used.update((function, need.action, need.resource) for need in call.needs)
        return None

    def _allows(self, function: str, need: Need) -> bool:
        effects = {s["Effect"] for s in self._statements.get(function, ()) if _applies(s, need)}
        return effects == {"Allow"}


def _applies(statement: Json, need: Need) -> bool:
    return (
        any(matches(action, need.action, ignore_case=True) for action in as_list(statement["Action"]))
        and any(matches(resource, need.resource) for resource in as_list(statement["Resource"]))
        and all(
            _condition(operator, as_list(wanted), need.context.get(key))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _condition(operator: str, wanted: list[Any], actual: str | list[str] | None) -> bool:
    if operator.startswith(_EACH):
        return all(_condition(operator.removeprefix(_EACH), wanted, value) for value in as_list(actual or []))
    if operator == "Null":
        return any((actual is None) == (str(value).lower() == "true") for value in wanted)
    name, if_exists = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    test, expected = _TESTS[name]
    if actual is None:
        return if_exists or not expected
    return any(test(str(value), str(actual)) for value in wanted) is expected


def _refuse_unknown(function: str, statement: Json) -> None:
    unknown = set(statement) - _STATEMENT
    for operator, keys in statement.get("Condition", {}).items():
        if operator != "Null" and operator.removeprefix(_EACH).removesuffix("IfExists") not in _TESTS:
            unknown.add(operator)
        unknown |= {key for key in keys if not _KEYS.match(key)}
        if operator != "Null" and not operator.startswith(_EACH):
            unknown |= keys.keys() & _LISTS
    if unknown:
        raise ValueError(f"{function}: the local stack does not support {sorted(unknown)} in a policy statement")
