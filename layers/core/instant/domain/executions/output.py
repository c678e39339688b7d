"""The result of an execution: the output for the caller and the receipt for the ledger."""

from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

from instant.domain.executions.receipt import Receipt


class Citation(TypedDict):
    """A source that an answer cites."""

    url: str
    title: str | None


class Output(TypedDict):
    """One output.

    `content` is text for "text", any JSON for "json", and for "image" the text beside the images, if any. `urls` are
    the images' URLs; `unreadable_images` counts images that could not be decoded. `citations` are the sources of a
    web search; `reasoning` is the model's reasoning text.
    """

    type: Literal["text", "image", "json"]
    content: object
    urls: NotRequired[list[str]]
    unreadable_images: NotRequired[int]
    citations: NotRequired[list[Citation]]
    reasoning: NotRequired[str]
    tool_calls: NotRequired[list[dict[str, object]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a successful call; `images` are data URLs or links as received, not stored yet."""

    output: Output
    receipt: Receipt
    images: tuple[str, ...] = ()
