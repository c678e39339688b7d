"""A parsed chat request."""

from dataclasses import dataclass
from typing import Any

from tests.fakes.openrouter.chat import directives
from tests.fakes.openrouter.chat.directives import Directive
from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.faults import error
from tests.fakes.openrouter.journal import Arrival
from tests.fakes.openrouter.messages.tools import text_of

_CAPS = ("max_completion_tokens", "max_tokens")


@dataclass(frozen=True)
class Call:
    """One chat call: its key, its request, and the directives for its reply."""

    key: str
    arrival: Arrival
    body: Json
    directives: list[Directive]

    @property
    def models(self) -> list[str]:
        """The requested model, then its fallbacks."""
        return [name for name in [self.body.get("model"), *self.body.get("models", [])] if name]

    @property
    def messages(self) -> list[Json]:
        """The messages of the request."""
        return list(self.body["messages"])

    @property
    def prompt(self) -> str:
        """The last user message, without directives."""
        return directives.without(last_user_text(self.body))

    @property
    def cap(self) -> int | None:
        """The token limit of the request, from either parameter."""
        return next((self.body[key] for key in _CAPS if self.body.get(key)), None)

    @property
    def streams(self) -> bool:
        """Whether the reply is a stream of events."""
        return bool(self.body.get("stream"))

    @property
    def tools(self) -> list[Json]:
        """The function tools of the request; OpenRouter's server tools are not passed to the model."""
        return [tool for tool in self.body.get("tools") or [] if tool.get("type") == "function"]

    @property
    def wants_images(self) -> bool:
        """Whether the request includes image output."""
        return "image" in (self.body.get("modalities") or [])

    def asks(self, name: str) -> bool:
        """Whether the call has a directive of this name."""
        return any(directive.name == name for directive in self.directives)


def read(arrival: Arrival, key: str, queued: tuple[str, ...] | None) -> Call:
    """Parse a request; queued directives replace those of the prompt."""
    body = validated(arrival.json)
    texts = directives.found_in(last_user_text(body)) if queued is None else queued
    return Call(key, arrival, body, directives.parse(texts))


def validated(body: Any) -> Json:
    """Return a body with a model and messages; raises 400 otherwise."""
    if not isinstance(body, dict):
        raise error(400, "Invalid request parameters")
    if not body.get("model") and not body.get("models"):
        raise error(400, "No models provided")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(item, dict) for item in messages):
        raise error(400, 'Input required: specify "prompt" or "messages"')
    if not all(isinstance(body.get(key, 1), int | None) for key in _CAPS):
        raise error(400, "Invalid request parameters")
    return body


def last_user_text(body: Json) -> str:
    """The text of the last user message; empty if there is none."""
    texts = (text_of(item.get("content")) for item in reversed(body["messages"]) if item.get("role") == "user")
    return next(texts, "")
