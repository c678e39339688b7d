"""Prompt templates: `{{name}}` placeholders only, rendered in one pass; values are not parsed for placeholders."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from instant.domain.errors import InvalidField

_MARK = re.compile(
    r"(?<!\{)\{\{\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_]{0,63})|(?P<quote>[\"'])(?P<braces>[{}]+)(?P=quote))\s*\}\}"
)
"""A placeholder, or braces in quotes, which stand for themselves."""

BRACES = '{{"{{"}}'
"""How a template writes two opening braces."""

_NOT_A_PLACEHOLDER = (
    f"has {{{{ that is not a placeholder; write {{{{name}}}} for an input (a-z, A-Z, 0-9, _), and {BRACES} for braces "
    'in the text, or {{"{"}} for one before a placeholder; logic is not supported'
)


def names_in(template: str) -> list[str]:
    """The distinct placeholder names in the template; `InvalidField` for braces that are not a placeholder."""
    if "{{" in _MARK.sub("", template):
        raise InvalidField.named("config.template", _NOT_A_PLACEHOLDER)
    return list(dict.fromkeys(_names(template)))


def rendered_bytes(template: str, values: Mapping[str, Any]) -> int:
    """The size of the rendered template in UTF-8, computed without rendering, since a name can occur many times."""
    names = _names(template)
    sizes = {name: len(text.encode()) for name, text in _texts(names, values).items()}
    return len(_MARK.sub(_braces, template).encode()) + sum(sizes[name] for name in names)


def render(template: str, values: Mapping[str, Any]) -> str:
    """Render the template in one pass, without escaping, which would corrupt prompts.

    Text is inserted unchanged, other values as JSON; a name without a value is replaced with nothing. Braces in quotes
    (`{{"{{"}}`) are replaced with the braces.
    """
    texts = _texts(_names(template), values)
    return _MARK.sub(lambda found: texts[found["name"]] if found["name"] else _braces(found), template)


def _names(template: str) -> list[str]:
    """The names of all placeholders, in order."""
    return [found["name"] for found in _MARK.finditer(template) if found["name"]]


def _braces(found: re.Match[str]) -> str:
    return found["braces"] or ""


def _texts(names: Sequence[str], values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(values.get(name)) for name in dict.fromkeys(names)}


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
