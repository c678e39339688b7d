"""The request of one call of a resource, and its maximum cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from instant.domain.exchange import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The request of a call, and its maximum cost in nano-USD; creating a plan costs nothing.

    `request` is the first request, without a key. `options` are the flow's other parameters, as JSON. `preview` is the
    part of the request that a preview shows, as JSON: nothing that depends on whose key is used. `seconds_to_keep` is
    the time reserved for storing the answer. `ocr_pages` is the number of pages of files that are read for a charge;
    None if it is not known. `ignored` are the caller's parameters that were left out, since a model lacks them.
    """

    request: Request
    worst_nanousd: int
    options: Mapping[str, Any] = field(default_factory=dict)
    preview: Mapping[str, Any] = field(default_factory=dict, repr=False)
    seconds_to_keep: float = 0
    ocr_pages: int | None = 0
    ignored: tuple[str, ...] = ()
