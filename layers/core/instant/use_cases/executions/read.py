"""List and read a caller's executions, and link to their outputs."""

from dataclasses import dataclass
from typing import Any

from instant.domain.access.identity import Identity
from instant.domain.errors import NotFound
from instant.domain.executions.delivery import OutputPart, document_of, stored_response
from instant.domain.executions.execution import Execution
from instant.domain.page import Page, PageRequest
from instant.ports.clock import Clock
from instant.ports.executions.answer_store import AnswerStore
from instant.ports.executions.history import ExecutionHistory, ExecutionReader
from instant.ports.executions.output_links import OutputLinks
from instant.use_cases.executions.links import LINK_SECONDS, Link, link_from_now


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDeps:
    """The dependencies of reading an execution and linking to its output."""

    executions: ExecutionReader
    answers: AnswerStore
    links: OutputLinks
    clock: Clock


def list_executions(caller: Identity, page: PageRequest, history: ExecutionHistory) -> Page[Execution]:
    """The executions that the caller may read, newest first."""
    if caller.reads_all:
        return history.of_user(caller.user_id, page)
    return history.of_key(caller.key_id, page) if caller.key_id else Page([])


def read_execution(execution_id: str, caller: Identity, deps: OutputDeps) -> tuple[Execution, dict[str, Any] | None]:
    """An execution that the caller may read, and its stored response, if there is one."""
    execution = deps.executions.get(execution_id)
    if execution is None or not execution.visible_to(caller):
        raise NotFound.of("execution")
    text = deps.answers.read(execution.answer)
    return execution, stored_response(text) if text else None


def link_to_output(execution_id: str, part: OutputPart, caller: Identity, deps: OutputDeps) -> Link:
    """Create a new link to the output, or its content, of an execution that the caller may read."""
    execution, response = read_execution(execution_id, caller, deps)
    output = (response or {}).get("output")
    if output is None:
        raise NotFound("This execution has no stored output.")
    document = document_of(output, part)
    return link_from_now(deps.links.link(execution.execution_id, document, seconds=LINK_SECONDS), deps.clock)
