"""The resource that `model` of a request names, and the types of resources that each route executes."""

import re
from typing import Any

from instant.domain.errors import NotFound
from instant.domain.limits import MAX_ID_CHARACTERS
from instant.resource_types import RESOURCE_TYPES
from instant.resource_types.chat import ChatType

CHAT_TYPES = frozenset(name for name, kind in RESOURCE_TYPES.items() if isinstance(kind, ChatType))
"""The resource types whose answers are completions."""

_ADDRESS = re.compile(r"[a-z0-9-]{1,64}/[a-z0-9-]{1,64}")


def resource_of(model: str) -> dict[str, Any]:
    """The resource that `model` names: by address, or by id."""
    if _ADDRESS.fullmatch(model):
        return {"address": model}
    if "/" in model or len(model) > MAX_ID_CHARACTERS:
        raise NotFound.of("resource")
    return {"resource_id": model}
