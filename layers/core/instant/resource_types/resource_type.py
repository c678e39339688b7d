"""What a resource type must be able to do."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import BaseModel

from instant.domain.catalog.model import CatalogModel
from instant.domain.exchange import Reply, Request
from instant.domain.executions.output import Answer
from instant.domain.executions.plan import Plan
from instant.domain.resources.resource import Badge

type Flow = Generator[Request, Reply, Answer]
"""Yields each request, is sent its reply, and returns the answer, or raises a `Failure`.

The receipt of either covers every exchange of the flow. A failure without a receipt means that nothing was charged,
unless the flow has sent several requests that spend: then the cost is unknown.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a resource.

    `models` are those of the type's `models` that can serve now, the first always among them; `cap_nanousd` is the
    most that the call may cost; `user` is an opaque id of the caller. Where `at_catalog_prices`, providers that are
    dearer than the catalog says are left out, so that it can cost no more than the plan's worst case.
    """

    config: Mapping[str, Any]
    inputs: Mapping[str, Any]
    models: Sequence[CatalogModel]
    cap_nanousd: int
    user: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    at_catalog_prices: bool = False


class ResourceType(ABC):
    """A type of resource: its settings, its inputs, and what it does with them.

    `integration` names the service whose key pays; None for a type that needs no key.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    integration: ClassVar[str | None] = None
    Config: ClassVar[type[BaseModel]]

    def models(self, config: Mapping[str, Any]) -> Sequence[str]:
        """The ids of the catalog models that `config` names, the one that normally serves first; may be empty."""
        return ()

    def model_field(self, config: Mapping[str, Any], model_id: str) -> str:
        """The setting that names the model, as a dotted path below `config`."""
        return "model"

    def supports(self, model: CatalogModel) -> str | None:
        """Why this type cannot use `model`, in words that follow its id; None if it can."""
        return None

    @abstractmethod
    def inputs_schema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """JSON Schema of the inputs of a resource with `config`; without one, what holds for every resource."""

    def check(self, config: Mapping[str, Any], models: Sequence[CatalogModel]) -> None:  # noqa: B027
        """Raise `InvalidField` for settings that do not work or that a model does not support."""

    @abstractmethod
    def plan(self, call: Call) -> Plan:
        """What would be sent; `InvalidField` for inputs or overrides that do not fit."""

    @abstractmethod
    def flow(self, plan: Plan) -> Flow:
        """The exchanges with the service, one request at a time; a flow never restarts."""

    def badges(self, config: Mapping[str, Any], model: CatalogModel | None) -> Iterable[Badge]:
        """What a resource with `config` on `model` can do, in a word each."""
        return ()
