"""All error classes."""

from collections.abc import Iterator

from instant.domain.errors import Conflict, InstantError


def every_error(root: type[InstantError] = InstantError) -> Iterator[type[InstantError]]:
    """All error classes, in the order of the hierarchy."""
    for kind in root.__subclasses__():
        if kind is not Conflict:
            yield kind
        yield from every_error(kind)
