"""The caller's overrides of the owner's settings: which are open, and what becomes of those that a model lacks."""

from collections.abc import Mapping, Sequence
from typing import Any

from instant.domain.errors import InvalidField
from instant.domain.validation import parse
from instant.resource_types.function_names import check_names
from instant.resource_types.model_settings import (
    DEFAULT_MAX_TOKENS,
    SAMPLING,
    TOOLS_AND_FORMATS,
    ModelSettings,
    unsupported,
)
from instant.resource_types.resource_type import Call

OPEN = ("max_tokens", *SAMPLING)
"""Settings that clients of OpenAI can override, unless the owner has listed what can be overridden."""

UNLESS_SET = TOOLS_AND_FORMATS
"""Settings that these clients can add, unless the owner has set them."""


def with_overrides[S: ModelSettings](settings: S, call: Call) -> tuple[S, tuple[str, ...]]:
    """The settings with the overrides of `call`, and the names of those that are ignored.

    For a compatible call, parameters that any of the models lacks are ignored, since clients send them without asking
    what a model supports. Tools and formats are not: without them, the answer would be another.
    """
    merged = overridden(settings, call.overrides, compatible=call.compatible)
    given = {name: value for name, value in call.overrides.items() if value is not None}
    if not given:
        return merged, ()
    if "tools" in given:
        check_names(merged, "overrides")
    ignored = tuple(name for name in given if call.compatible and _is_lacking(name, merged, call))
    for name in given:
        _refuse_ignored(name, merged, call)
    kept = {name: value for name, value in given.items() if name not in ignored}
    return overridden(settings, kept, compatible=call.compatible) if ignored else merged, ignored


def overridden[S: ModelSettings](settings: S, overrides: Mapping[str, Any], *, compatible: bool = False) -> S:
    """The settings with the caller's overrides, if the owner allows them."""
    check_allowed(overrides, _open(settings, compatible=compatible), compatible=compatible)
    most = settings.max_tokens or DEFAULT_MAX_TOKENS
    given = _of_client(overrides, most) if compatible else overrides
    merged = parse(type(settings), {**settings.model_dump(exclude_none=True, by_alias=True), **given}, "overrides")
    if (merged.max_tokens or most) > most:
        raise InvalidField.named("overrides.max_tokens", f"can be at most {most}, the owner's setting")
    return merged


def check_allowed(overrides: Mapping[str, Any], allowed: Sequence[str], *, compatible: bool = False) -> None:
    """Reject overrides that the owner does not allow, and null, which clients of OpenAI send for no value."""
    for name in overrides:
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            raise InvalidField.named(f"overrides.{name}", f"cannot be overridden here; allowed overrides: {known}")
    for name, value in overrides.items():
        if value is None and not compatible:
            raise InvalidField.named(f"overrides.{name}", "cannot be null; leave it out")


def _of_client(overrides: Mapping[str, Any], most: int) -> dict[str, Any]:
    """The overrides as clients of OpenAI mean them: null is no value, `stop` can be text, and `strict` is off."""
    given = {name: value for name, value in overrides.items() if value is not None}
    if type(wanted := given.get("max_tokens")) is int:
        given["max_tokens"] = min(wanted, most)
    if isinstance(stop := given.get("stop"), str):
        given["stop"] = [stop]
    form = given.get("response_format")
    if isinstance(form, dict) and isinstance(schema := form.get("json_schema"), dict):
        given["response_format"] = {**form, "json_schema": {"strict": None, **schema}}
    return given


def _open(settings: ModelSettings, *, compatible: bool) -> list[str]:
    """The settings that can be overridden; a list of the owner closes all others."""
    if settings.overridable is not None or not compatible:
        return [*(settings.overridable or ())]
    return [*OPEN, *(name for name in UNLESS_SET if getattr(settings, name) is None)]


def _is_lacking(name: str, settings: ModelSettings, call: Call) -> bool:
    """Whether any model lacks a parameter without which the answer is of the same kind."""
    return not _decides(name, settings) and any(name in unsupported(settings, model) for model in call.models)


def _refuse_ignored(name: str, settings: ModelSettings, call: Call) -> None:
    """Reject an override that a model would ignore; the owner's settings may have lost their support."""
    decides = _decides(name, settings)
    for model in call.models if decides else call.models[: 0 if call.compatible else 1]:
        if name in unsupported(settings, model):
            raise InvalidField.named(f"overrides.{name}", f"{model.openrouter_id} does not support it")


def _decides(name: str, settings: ModelSettings) -> bool:
    """Whether the answer would be of another kind without this parameter."""
    match name:
        case "tools":
            return True
        case "tool_choice":
            return settings.tool_choice != "auto"
        case "response_format":
            return settings.response_format is not None and settings.response_format.type != "text"
        case _:
            return False
