"""Short-lived links to stored media."""

from dataclasses import dataclass
from datetime import timedelta

from instant.domain.clock import format_time
from instant.ports.clock import Clock

LINK_SECONDS = 300
"""How long a link is valid, in seconds."""


@dataclass(frozen=True, slots=True)
class Link:
    """A URL that anyone can read until `expires_at`."""

    url: str
    expires_at: str


def link_from_now(url: str, clock: Clock) -> Link:
    """The link of a URL that was signed for `LINK_SECONDS` just now."""
    return Link(url, format_time(clock.now() + timedelta(seconds=LINK_SECONDS)))
