"""JSON values of any nesting: a copy with other strings, the depth of a value, and its text as responses have it."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from instant.domain.limits import MAX_RESPONSE_BYTES

_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


def map_strings(value: Any, change: Callable[[str], str]) -> Any:
    """A copy of `value` with `change` applied to every string and every object key."""
    root: list[Any] = [value]
    pending: list[dict[str, Any] | list[Any]] = [root]
    while pending:
        node = pending.pop()
        for place, item in _places(node):
            if isinstance(item, str):
                node[place] = change(item)
            elif isinstance(item, dict):
                node[place] = {change(key): member for key, member in item.items()}
                pending.append(node[place])
            elif isinstance(item, list):
                node[place] = list(item)
                pending.append(node[place])
    return root[0]


def strings_in(value: Any) -> Iterator[str]:
    """Every string in `value`, without object keys, in the order of the text."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            pending.extend(reversed(item.values()))
        elif isinstance(item, list):
            pending.extend(reversed(item))


def is_deeper(value: Any, most: int) -> bool:
    """Whether objects and lists in `value` are nested more than `most` deep."""
    level = [value]
    for _ in range(most):
        level = [item for item in level if isinstance(item, dict | list)]
        if not level:
            return False
        level = [child for item in level for child in _children(item)]
    return any(isinstance(item, dict | list) for item in level)


def json_text(value: object) -> str:
    """Compact JSON in ASCII, or in UTF-8 if it would be too large for a response."""
    text = ascii_text(value)
    return text if response_bytes(text) <= MAX_RESPONSE_BYTES else utf8_text(value)


def ascii_text(value: object) -> str:
    """Compact JSON in ASCII."""
    return json.dumps(value, separators=(",", ":"))


def utf8_text(value: object) -> str:
    """Compact JSON in UTF-8; in ASCII if a lone surrogate cannot be encoded."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return ascii_text(value)
    return text


def one_line(text: str) -> str:
    """JSON text with the line ends escaped that JSON allows in strings: some readers of events split lines at them."""
    return text if text.isascii() else text.translate(_LINE_ENDS)


def response_bytes(body: str) -> int:
    """The size of a JSON body inside Lambda's response, where its quotes and backslashes are escaped."""
    return (len(body) if body.isascii() else len(body.encode())) + body.count('"') + body.count("\\")


def _places(node: dict[str, Any] | list[Any]) -> Iterable[tuple[Any, Any]]:
    return node.items() if isinstance(node, dict) else enumerate(node)


def _children(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
