"""Settings under the names that a request has for them: in errors, and in the header of those that are ignored."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from instant.domain.errors import InvalidField
from instant.domain.executions.prepared import Prepared
from instant.entrypoints.openai.errors import execution_headers

IGNORED = "x-ignored-parameters"


def prepared_headers(prepared: Prepared, fields: Mapping[str, str]) -> dict[str, str]:
    """The headers that name the execution, and what the model lacks; `fields` has the request's name of a setting."""
    ignored = ", ".join(fields.get(name, name) for name in prepared.plan.ignored)
    return execution_headers(prepared.execution_id) | ({IGNORED: ignored} if ignored else {})


@contextmanager
def renaming_errors(rename: Callable[[str], str]) -> Iterator[None]:
    """Errors of a field name it as the request does."""
    try:
        yield
    except InvalidField as error:
        name = error.param or ""
        if (own := rename(name)) != name:
            error.message = own + error.message.removeprefix(name)
            error.details["field"] = own
        raise
