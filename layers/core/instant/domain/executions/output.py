"""What a run produced: the output that callers get and the receipt that the ledger books."""

from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

from instant.domain.executions.receipt import Receipt


class Citation(TypedDict):
    """A source that an answer rests on."""

    url: str
    title: str | None


class Output(TypedDict):
    """One output.

    `content` is text for "text", any JSON for "json", and the text beside the images, if any, for "image", whose
    `urls` lead to them; `unreadable_images` counts those that came and were no images. `citations` are the sources
    of a web search, `reasoning` is what the model thought aloud.
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
    """A successful run; `images` are data URLs or links as they came, still to be kept."""

    output: Output
    receipt: Receipt
    images: tuple[str, ...] = ()
