"""A toy integration without keys."""

from instant.integrations.service import Service


class Parrot(Service):
    """A service that returns its input, without authentication."""

    name = "parrot"

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
