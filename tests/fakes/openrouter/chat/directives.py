"""Directives, by which a prompt, a test or a catalog row requests a specific reply.

The package docstring describes each one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tests.fakes.openrouter.faults import error
from tests.fakes.openrouter.reply import Refused

NAMES = frozenset(
    {
        "error", "200-error", "choice-error", "midstream-error", "no-done",
        "empty", "null-content", "reasoning-only", "refusal", "content-filter", "tool-calls", "huge",
        "not-json", "cut-json", "truncated", "hang-up", "reset", "drip", "drip-headers", "gzip", "shred",
        "slow", "no-usage", "no-cost", "price", "weird", "picture", "data", "link", "in-words",
        "crlf", "plain-json", "deltas", "show-key",
    }
)  # fmt: skip

_IN_TEXT = re.compile(r"\[\[\s*fake:\s*(.*?)\s*\]\]")


@dataclass(frozen=True)
class Directive:
    """A name of NAMES and its arguments."""

    name: str
    words: tuple[str, ...] = ()

    @property
    def argument(self) -> str:
        """The arguments as one string; empty if there are none."""
        return " ".join(self.words)


def parse(texts: Iterable[str]) -> list[Directive]:
    """Parse directives such as `error 429 daily`; raises a 400 for an unknown name."""
    directives = [Directive(name, tuple(words)) for name, *words in (text.split() or [""] for text in texts)]
    for directive in directives:
        if directive.name not in NAMES:
            raise unknown(directive)
    return directives


def unknown(directive: Directive) -> Refused:
    """The error for an unknown directive."""
    text = f"{directive.name} {directive.argument}".strip()
    return error(400, f"FakeOpenRouter knows no directive {text!r}.")


def found_in(prompt: str) -> list[str]:
    """The texts of all `[[fake: …]]` in a prompt."""
    return _IN_TEXT.findall(prompt)


def without(prompt: str) -> str:
    """The prompt without directives."""
    return _IN_TEXT.sub("", prompt).strip()
