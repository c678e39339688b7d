"""Links to images."""

from typing import TypedDict

from instant.entrypoints.http.fields import Time


class SignedLink(TypedDict):
    """A link that anyone can read until it expires."""

    url: str
    expires_at: Time
