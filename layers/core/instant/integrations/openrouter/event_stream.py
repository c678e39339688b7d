"""Server-sent events where a JSON body was asked for: some gateways send comments, fields or `[DONE]` around it."""

import re

_DONE = re.compile(r"data:[ \t]*\[DONE\]\s*$")
_IGNORED = re.compile(r"(?::|(?:event|id|retry):|data:[ \t]*\[DONE\][ \t]*$)")
_DATA = re.compile(r"\Adata:[ \t]?")


def without_framing(text: str) -> str:
    """The data in `text`: without comments, `[DONE]`, and the names of fields.

    JSON strings contain no line breaks, so that no line of a JSON text begins like a line of an event.
    """
    lines = _DONE.sub("", text).replace("\r", "\n").split("\n")
    return "\n".join(_DATA.sub("", line) for line in (each.lstrip() for each in lines) if not _IGNORED.match(line))
