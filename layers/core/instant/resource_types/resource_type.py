"""What a kind of resource must be able to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from instant.domain.catalog import CatalogModel
from instant.domain.exchange import Reply, Request
from instant.domain.output import Answer

type Send = Callable[[Request], Reply]
"""Sends a request with the payer's key, once, within the call's deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a resource: `cap_nanousd` is the most that the payer allows it to cost."""

    config: Mapping[str, Any]
    inputs: Mapping[str, Any]
    model: CatalogModel
    cap_nanousd: int
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a call will send, and the most it can cost in nano-USD; making one spends nothing."""

    request: Request
    worst_nanousd: int


class ResourceType(Protocol):
    """A kind of resource: its settings, its inputs, and what it does with them."""

    name: str
    description: str
    integration: str
    Config: type[BaseModel]
    Inputs: type[BaseModel]

    def model_id(self, config: Mapping[str, Any]) -> str:
        """The catalog model that `config` names."""

    def check(self, config: Mapping[str, Any], model: CatalogModel) -> None:
        """Refuse, by name, settings that `model` does not support (`InvalidField`)."""

    def plan(self, call: Call) -> Plan:
        """Check the inputs (`InvalidField`) and say what would be sent."""

    def run(self, plan: Plan, send: Send) -> Answer:
        """Send it and read the answer."""
