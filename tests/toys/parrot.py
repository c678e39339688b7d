"""A toy integration without keys: a service that repeats what it hears."""

from instant.integrations.service import Service


class Parrot(Service):
    """Anybody may call it."""

    name = "parrot"

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
