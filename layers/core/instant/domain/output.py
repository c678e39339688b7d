"""What a run produced: the output that callers get and the receipt that the ledger books."""

from dataclasses import dataclass
from typing import Literal, TypedDict

from instant.domain.receipt import Receipt


class Output(TypedDict):
    """One output: `content` is text for "text", and any JSON for "json"."""

    type: Literal["text", "json"]
    content: object


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful run."""

    output: Output
    receipt: Receipt
