"""The result of an execution: the output for the caller and the receipt for the ledger."""

from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

from instant.domain.executions.receipt import Receipt


class Citation(TypedDict):
    """A source that an answer cites.

    `content` is the cited text of the source. `start_index` and `end_index` are the part of the answer's text that
    cites it. Fields that the service did not report are absent.
    """

    url: str
    title: str | None
    content: NotRequired[str]
    start_index: NotRequired[int]
    end_index: NotRequired[int]


class Output(TypedDict):
    """One output.

    `content` is text for "text", any JSON for "json", and for "image" the text beside the images, if any; null if the
    model wrote none. `urls` are the images' URLs, which also replace images inside a text; `unreadable_images` counts
    images that could not be decoded. `refusal` is the model's text if it refused to answer. `citations` are the sources
    of a web search; `reasoning` is the model's reasoning text, and `reasoning_details` its structured form, unchanged,
    with signatures and encrypted data: send it back with the results of tool calls. `tool_calls` are those of an answer
    with images.

    An output that is too large for the response has `content` null; `url` is where it can be read, and `size_bytes` its
    size there.
    """

    type: Literal["text", "image", "json"]
    content: object
    url: NotRequired[str]
    size_bytes: NotRequired[int]
    urls: NotRequired[list[str]]
    unreadable_images: NotRequired[int]
    refusal: NotRequired[str]
    citations: NotRequired[list[Citation]]
    reasoning: NotRequired[str]
    reasoning_details: NotRequired[list[dict[str, object]]]
    tool_calls: NotRequired[list[dict[str, object]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a successful call.

    `images` are data URLs, base64 or links as received, not stored yet. `possible_images` are data URLs in the text of
    an answer that was not expected to have images: those that cannot be decoded are text. `text` is the text as the
    model wrote it where the output has no place for it: an answer in JSON. `media_types` are the types of the stored
    images. `is_replaced` says that a stream showed another text before.
    """

    output: Output
    receipt: Receipt
    images: tuple[str, ...] = ()
    possible_images: tuple[str, ...] = ()
    text: str | None = None
    media_types: tuple[str, ...] = ()
    is_replaced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallPiece:
    """A piece of the tool call at `index`: id and name come with the first piece, the arguments in several."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A piece of the text, of the reasoning, or of a tool call; exactly one of them is set.

    With `replace`, it replaces all earlier pieces of its kind (of its index, for a tool call).
    """

    text: str = ""
    reasoning: str = ""
    tool_call: ToolCallPiece | None = None
    replace: bool = False
