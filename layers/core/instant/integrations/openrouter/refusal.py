"""What OpenRouter says about a call that it refused: its own words, and those of the provider in `metadata.raw`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from instant.integrations.openrouter.decoding import decode_reply
from instant.integrations.openrouter.parsing import count, fact, mapping, sequence, text

_MAX_RAW_CHARACTERS = 20_000
_MAX_DEPTH = 6
_MAX_SENTENCE, _MAX_WORDS = 2_000, 8_000
"""Characters of one sentence, and of all, in which words are looked for."""

_NAMES = {"code", "type", "status", "error_type", "error_code", "errorcode"}
_SENTENCES = {"message", "msg", "detail", "details", "error", "error_message", "errormessage", "description", "reason"}
_NESTED = {"innererror", "inner_error", "errors", "body", "response", "data"}
"""Members of a provider's error. Others are not read: they can repeat the input."""

_STATUS = {
    "authentication": 401,
    "invalid_request": 400,
    "invalid_request_error": 400,
    "not_found": 404,
    "payment_required": 402,
    "permission_denied": 403,
    "provider_overloaded": 529,
    "provider_unavailable": 502,
    "rate_limit_exceeded": 429,
    "timeout": 504,
}
"""The status of each error type that has one."""

_PROVIDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .&+/()-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refusal as facts: `names` are error types and codes, `words` all sentences, both in lower case.

    `is_from_provider` says whether a provider refused, and `provider` is its name. `is_byok` says whether the account's
    own key for that provider was used.
    """

    status: int
    names: frozenset[str] = frozenset()
    words: str = ""
    is_from_provider: bool = False
    provider: str | None = None
    is_byok: bool = False
    limit_source: str = ""
    has_reasons: bool = False
    constraint: str = ""

    @property
    def who(self) -> str:
        """The provider by name, if it is known."""
        return f"The provider {self.provider}" if self.provider else "The model's provider"


def read_refusal(status: int, error: Mapping[str, Any]) -> Refusal:
    """The facts of an `error` object."""
    metadata, availability = mapping(error.get("metadata")), mapping(error.get("availability"))
    raw = metadata.get("raw")
    said = [("message", error.get("message")), *_members(_decoded(raw), 0)]
    names = [
        *(value for key, value in said if key in _NAMES),
        metadata.get("error_type"),
        metadata.get("provider_code"),
    ]
    names += [availability.get("code"), availability.get("error_type"), error.get("type"), error.get("code")]
    name = fact(metadata.get("provider_name"))
    return Refusal(
        status=status,
        names=frozenset(found.lower() for each in names if (found := fact(each))),
        words="\n".join(
            found[:_MAX_SENTENCE].lower() for key, value in said if key not in _NAMES and (found := text(value))
        )[:_MAX_WORDS],
        is_from_provider=bool(raw) or "provider returned error" in (text(error.get("message")) or "").lower(),
        provider=name if name and _PROVIDER.fullmatch(name) else None,
        is_byok=metadata.get("is_byok") is True,
        limit_source=(fact(metadata.get("limit_source")) or "").lower(),
        has_reasons=bool(sequence(metadata.get("reasons"))),
        constraint=(fact(availability.get("constraint")) or "").lower(),
    )


def status_in(error: Mapping[str, Any]) -> int:
    """The status of an `error` object in a 200: its code, or what its type stands for; 500 if it has neither."""
    code = error.get("code")
    if number := count(int(code) if isinstance(code, str) and re.fullmatch(r"[45][0-9]{2}", code) else code):
        return number
    names = (code, error.get("type"), mapping(error.get("metadata")).get("error_type"))
    return next((_STATUS[name] for name in names if isinstance(name, str) and name in _STATUS), 500)


def _decoded(raw: object) -> object:
    """The provider's body: JSON, which can be in a string, or plain text."""
    if not isinstance(raw, str):
        return raw
    cut = raw[:_MAX_RAW_CHARACTERS]
    value = decode_reply(cut.encode(errors="replace")) if cut.lstrip()[:1] in {"{", "["} else None
    return cut if value is None else value


def _members(value: object, depth: int, key: str = "message") -> Iterator[tuple[str, object]]:
    """The members of a provider's error that name or describe it, at any place where errors have them."""
    if isinstance(value, str) and depth and value.lstrip()[:1] == "{":
        yield key, value
        value = _decoded(value)
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        for name, member in value.items():
            if (lower := name.lower()) in _NAMES | _SENTENCES | _NESTED:
                yield from _members(member, depth + 1, lower)
    elif isinstance(value, list):
        for item in value[:20]:
            yield from _members(item, depth + 1, key)
    elif isinstance(value, str):
        yield key, value
