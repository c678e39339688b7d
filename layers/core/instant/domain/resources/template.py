"""Prompt templates: `{{name}}` and nothing else, filled in once, values never looked at again."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from instant.domain.errors import InvalidField

_PLACEHOLDER = re.compile(r"(?<!\{)\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}")


def names_in(template: str) -> list[str]:
    """The names that the template asks for, each once; `InvalidField` for braces that are no placeholder."""
    rest = _PLACEHOLDER.sub("", template)
    if "{{" in rest:
        raise InvalidField.named(
            "config.template", "has {{ that is not a placeholder; write {{name}}, logic is not supported"
        )
    return list(dict.fromkeys(_PLACEHOLDER.findall(template)))


def rendered_bytes(template: str, values: Mapping[str, Any]) -> int:
    """How long the filled template is in UTF-8; nothing is filled in for that, since a name may stand often."""
    names = _PLACEHOLDER.findall(template)
    sizes = {name: len(text.encode()) for name, text in _texts(names, values).items()}
    return len(_PLACEHOLDER.sub("", template).encode()) + sum(sizes[name] for name in names)


def render(template: str, values: Mapping[str, Any]) -> str:
    """The template with its values put in as they are: no escaping, which would corrupt prompts, and no second pass.

    Text goes in unchanged, everything else as JSON; a name without a value leaves nothing.
    """
    texts = _texts(_PLACEHOLDER.findall(template), values)
    return _PLACEHOLDER.sub(lambda found: texts[found[1]], template)


def _texts(names: Sequence[str], values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(values.get(name)) for name in dict.fromkeys(names)}


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
