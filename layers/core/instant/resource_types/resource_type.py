"""What a kind of resource must be able to do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel

from instant.domain.catalog import CatalogModel
from instant.domain.exchange import Reply, Request
from instant.domain.output import Answer

type Send = Callable[[Request], Reply]
"""Sends a request with the payer's key, once, within the call's deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a resource.

    `models` are those of `model_ids` that can serve now, the first always among them; `cap_nanousd` is the most
    that the payer allows the call to cost; `user` is an opaque id of the caller. Where `at_catalog_prices`, providers
    that are dearer than the catalog says are left out, so that it can cost no more than the plan's worst case.
    """

    config: Mapping[str, Any]
    inputs: Mapping[str, Any]
    models: Sequence[CatalogModel]
    cap_nanousd: int
    user: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    at_catalog_prices: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a call will send, and the most it can cost in nano-USD; making one spends nothing.

    `seconds_to_keep` is what storing the answer may take once it is there; `wants_json` says that JSON was asked for.
    """

    request: Request
    worst_nanousd: int
    seconds_to_keep: float = 0
    wants_json: bool = False


class ResourceType(Protocol):
    """A kind of resource: its settings, its inputs, and what it does with them."""

    name: str
    description: str
    integration: str
    Config: type[BaseModel]

    def model_ids(self, config: Mapping[str, Any]) -> list[str]:
        """The catalog models that `config` names, the one that normally serves first."""

    def inputs_schema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """JSON Schema of the inputs of a resource with `config`; without one, what can be said of all."""

    def check(self, config: Mapping[str, Any], models: Sequence[CatalogModel]) -> None:
        """Refuse, by name, settings that do not work or that a model does not support (`InvalidField`)."""

    def plan(self, call: Call) -> Plan:
        """Check inputs and overrides (`InvalidField`) and say what would be sent."""

    def run(self, plan: Plan, send: Send) -> Answer:
        """Send it and read the answer."""
