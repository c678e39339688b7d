"""The interface of a resource type."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from instant.domain.catalog.model import CatalogModel
from instant.domain.exchange import Reply, Request
from instant.domain.executions.output import Answer, Delta
from instant.domain.executions.plan import Plan
from instant.domain.executions.receipt import Receipt
from instant.domain.resources.resource import Badge

type Flow = Generator[Request, Reply, Answer]
"""A generator that yields each request, receives its reply, and returns the answer or raises a `Failure`.

The receipt of the answer or failure covers all exchanges of the flow. A failure without a receipt means that nothing
was charged, unless the flow has sent several requests that spend: then the cost is unknown.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a resource.

    `models` are the models of the resource that can serve now, always including the first; `cap_nanousd` is the
    maximum cost of the call; `user` is an opaque id of the caller. With `at_catalog_prices`, providers above the
    catalog price are excluded, so that the cost cannot exceed the plan's worst case. A `compatible` call comes from a
    client of OpenAI, which does not know what the owner allows and what the model supports. With `stream`, the answer
    is to arrive while the model writes it, if the type can read it so; everything else of the plan is the same.
    """

    config: Mapping[str, Any]
    inputs: Mapping[str, Any]
    models: Sequence[CatalogModel]
    cap_nanousd: int
    user: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    at_catalog_prices: bool = False
    compatible: bool = False
    stream: bool = False


class StreamReader(Protocol):
    """Reads one reply while it arrives; one that is read in pieces gives the same answer as a whole one."""

    def feed(self, data: bytes) -> Sequence[Delta]:
        """What the next bytes add to the answer.

        Raises `TooLarge` if the answer is longer than the request allows, and `Unreadable` for bytes that cannot be
        read.
        """

    def finish(self) -> Any:
        """The JSON of the complete reply, for `Reply.document`; None if it cannot be read."""

    @property
    def known(self) -> Receipt:
        """The facts that have arrived so far."""

    @property
    def is_done(self) -> bool:
        """Whether the service has marked the end of its reply: what follows is not needed."""


class ResourceType(ABC):
    """A type of resource: its settings, its inputs, and the requests that it makes.

    `integration` is the service whose key is used; None for a type that needs no key.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    integration: ClassVar[str | None] = None
    Config: ClassVar[type[BaseModel]]

    def models(self, config: Mapping[str, Any]) -> Sequence[str]:
        """The ids of the catalog models in `config`, the primary one first; can be empty."""
        return ()

    def model_field(self, config: Mapping[str, Any], model_id: str) -> str:
        """The setting that contains the model id, as a dotted path below `config`."""
        return "model"

    def supports(self, model: CatalogModel) -> str | None:
        """Why this type cannot use `model`, as text to append to its id; None if it can."""
        return None

    @abstractmethod
    def inputs_schema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """JSON Schema of the inputs of a resource with `config`; without it, the schema for all resources."""

    def check(self, config: Mapping[str, Any], models: Sequence[CatalogModel]) -> None:  # noqa: B027
        """Raise `InvalidField` for settings that are not valid or that a model does not support."""

    @abstractmethod
    def plan(self, call: Call) -> Plan:
        """The request of a call; `InvalidField` for invalid inputs or overrides."""

    @abstractmethod
    def flow(self, plan: Plan) -> Flow:
        """The exchanges with the service, one request at a time; a flow is never restarted."""

    def stream_reader(self, plan: Plan) -> StreamReader | None:
        """Reads the reply to a request with `stream`; None if the type does not read replies while they arrive."""
        return None

    def badges(self, config: Mapping[str, Any], model: CatalogModel | None) -> Iterable[Badge]:
        """The badges of a resource with `config` on `model`."""
        return ()
