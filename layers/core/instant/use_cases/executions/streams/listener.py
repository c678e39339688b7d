"""The interface through which a streamed execution reports its progress."""

from typing import Protocol

from instant.domain.executions.execution import Execution
from instant.domain.executions.output import Delta
from instant.domain.executions.prepared import Prepared


class Listener(Protocol):
    """Follows one execution; its methods are called in the thread of the execution and must not fail."""

    def prepared(self, prepared: Prepared) -> None:
        """The request is valid and nothing has been sent yet."""

    def joined(self, execution: Execution) -> None:
        """Instead of `prepared`: the execution has begun before. `idle` is called until it has ended."""

    def started(self) -> None:
        """The service has accepted the call: the first byte of a successful reply has arrived."""

    def delta(self, delta: Delta) -> None:
        """The next piece of the answer."""

    def image(self, path: str, media_type: str | None) -> None:
        """An image of the answer is stored; `path` is its path in this API, which later texts may contain."""

    def idle(self) -> None:
        """Called about once a second while the call runs, even if nothing arrives."""
