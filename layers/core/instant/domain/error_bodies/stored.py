"""Errors that were stored as JSON, by this version or an earlier one."""

from collections.abc import Mapping
from typing import Any

from instant.domain.error_bodies.classes import every_error
from instant.domain.errors import InstantError, UpstreamError


def stored_error(error: Mapping[str, Any]) -> InstantError:
    """The error that was stored as `error`; one with a code that this version does not know is an `upstream_error`."""
    kind = {kind.code: kind for kind in every_error()}.get(error["code"], UpstreamError)
    found = kind(error["message"], details=error.get("details"))
    found.execution_id = error.get("execution_id")
    return found


def complete_error(error: Mapping[str, Any]) -> dict[str, Any]:
    """The stored `error` as it is returned now: earlier versions stored no `type` and no `param`."""
    return {**stored_error(error).body()["error"], **error}
