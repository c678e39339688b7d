"""Prompt templates: `{{name}}` placeholders only, rendered in one pass; values are not parsed for placeholders."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from instant.domain.errors import InvalidField

_PLACEHOLDER = re.compile(r"(?<!\{)\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}")


def names_in(template: str) -> list[str]:
    """The distinct placeholder names in the template; `InvalidField` for braces that are not a placeholder."""
    rest = _PLACEHOLDER.sub("", template)
    if "{{" in rest:
        raise InvalidField.named(
            "config.template", "has {{ that is not a placeholder; write {{name}}, logic is not supported"
        )
    return list(dict.fromkeys(_PLACEHOLDER.findall(template)))


def rendered_bytes(template: str, values: Mapping[str, Any]) -> int:
    """The size of the rendered template in UTF-8, computed without rendering, since a name can occur many times."""
    names = _PLACEHOLDER.findall(template)
    sizes = {name: len(text.encode()) for name, text in _texts(names, values).items()}
    return len(_PLACEHOLDER.sub("", template).encode()) + sum(sizes[name] for name in names)


def render(template: str, values: Mapping[str, Any]) -> str:
    """Render the template in one pass, without escaping, which would corrupt prompts.

    Text is inserted unchanged, other values as JSON; a name without a value is replaced with nothing.
    """
    texts = _texts(_PLACEHOLDER.findall(template), values)
    return _PLACEHOLDER.sub(lambda found: texts[found[1]], template)


def _texts(names: Sequence[str], values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(values.get(name)) for name in dict.fromkeys(names)}


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
