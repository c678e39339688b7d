"""List and read a caller's executions."""

import json
from typing import Any

from instant.domain.access.identity import Identity
from instant.domain.errors import NotFound
from instant.domain.executions.execution import Execution
from instant.domain.page import Page, PageRequest
from instant.ports.executions.answer_store import AnswerStore
from instant.ports.executions.history import ExecutionHistory, ExecutionReader


def list_executions(caller: Identity, page: PageRequest, history: ExecutionHistory) -> Page[Execution]:
    """The executions that the caller may read, newest first."""
    if caller.reads_all:
        return history.of_user(caller.user_id, page)
    return history.of_key(caller.key_id, page) if caller.key_id else Page([])


def read_execution(
    execution_id: str, caller: Identity, history: ExecutionReader, answers: AnswerStore
) -> tuple[Execution, dict[str, Any] | None]:
    """An execution that the caller may read, and the JSON of its response, if there is one."""
    execution = history.get(execution_id)
    if execution is None or not execution.visible_to(caller):
        raise NotFound.of("execution")
    text = answers.read(execution.answer)
    return execution, json.loads(text) if text else None
