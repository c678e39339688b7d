"""What one call of a resource will send, and the most it can cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from instant.domain.exchange import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a call will send, and the most it can cost in nano-USD; making one spends nothing.

    `request` is the first request, without a key. `options` is what the flow needs besides it, as JSON. `preview` is
    what a preview may show of the request, as JSON: nothing that depends on who pays. `seconds_to_keep` is how long
    storing the answer may take.
    """

    request: Request
    worst_nanousd: int
    options: Mapping[str, Any] = field(default_factory=dict)
    preview: Mapping[str, Any] = field(default_factory=dict, repr=False)
    seconds_to_keep: float = 0
