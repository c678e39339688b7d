"""Callback URLs to which a service may redirect a user's browser: only those that the operator configured."""

import re
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import parse_qsl

MAX_LENGTH = 2_000
"""Maximum length of a callback URL."""

_PORTS = {"https": 443, "http": 80}
_LOOPBACK = {"localhost", "127.0.0.1"}
_RESERVED = {"code", "state"}

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+)(:(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[\w.~!$&'()*+,;=:@%/-]*)?(\?(?P<query>[\w.~!$&'()*+,;=:@%/?-]*))?",
    re.ASCII | re.IGNORECASE,
)
"""The characters and forms accepted in a URL: browsers and parsers disagree about others, which allows attacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A callback URL: `scheme`, `host` (lower case), `port`, `path`, and the client's own `query`."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `text`; the message of the ValueError describes the problem."""
        found = _URL.fullmatch(text) if len(text) <= MAX_LENGTH else None
        if found is None:
            raise ValueError("must be a plain https URL, without user name or fragment; encode special characters")
        scheme, host = found["scheme"].lower(), found["host"].lower()
        if scheme == "http" and host not in _LOOPBACK:
            raise ValueError("must be an https URL; http is for localhost and 127.0.0.1 only")
        query = found["query"] or ""
        if _RESERVED & {name for name, _ in parse_qsl(query, keep_blank_values=True)}:
            raise ValueError("must not contain code or state in its query; both are added later")
        port = int(found["port"] or _PORTS[scheme])
        return cls(scheme=scheme, host=host, port=port, path=found["path"] or "/", query=query)

    def is_at(self, place: "Callback") -> bool:
        """Whether scheme, host, port and path equal those of `place`."""
        return replace(self, query="") == place

    def with_state(self, state: str) -> str:
        """The complete URL, with `state` appended to its query."""
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        query = f"{self.query}&state={state}" if self.query else f"state={state}"
        return f"{self.scheme}://{self.host}{port}{self.path}?{query}"


def places(listed: str) -> tuple[Callback, ...]:
    """The operator's comma-separated list; ValueError if an entry is not a valid callback URL."""
    found = tuple(Callback.parse(entry) for entry in listed.split(",") if entry)
    if any(each.query for each in found):
        raise ValueError("a configured callback URL must not have a query")
    return found
