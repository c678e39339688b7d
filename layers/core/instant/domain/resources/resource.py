"""A resource: a model with its settings, owned by somebody, callable under an address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from instant.domain.access.identity import handle_of
from instant.domain.catalog.successor import SuccessorPolicy
from instant.domain.resources.ranking import UseCounts

type Badge = Literal[
    "calls_tools",
    "customizable",
    "free",
    "has_fallbacks",
    "makes_images",
    "reliable",
    "searches_web",
    "structured_output",
    "takes_images",
]
"""What a resource can do, and how well, in a word."""


class Visibility(StrEnum):
    """Who may find and call it: its owner; whoever knows its id; everybody."""

    PRIVATE = "private"
    UNLISTED = "unlisted"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One callable resource; `revision` rises with every change, times are stamps.

    `ai_model_id` is the model that normally serves; None where the type needs no model.
    `usage` is what the last ranking found: only public resources are ranked. `config` is empty in public lists.
    `prices` has what each model of the settings cost when they were saved, by id, and so names all of them; resources
    that were last saved before prices were kept have none.
    """

    resource_id: str
    owner_id: str
    resource_type: str
    name: str
    slug: str
    visibility: Visibility
    created_at: str
    updated_at: str
    ai_model_id: str | None = None
    description: str | None = None
    category: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    successor_policy: SuccessorPolicy = SuccessorPolicy.SUGGEST
    prices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    revision: int = 1
    deleted_at: str | None = None
    usage: UseCounts | None = None

    @property
    def address(self) -> str:
        """`handle/slug`: unique among all resources."""
        return f"{handle_of(self.owner_id)}/{self.slug}"

    def visible_to(self, user_id: str) -> bool:
        """Whether `user_id` may see and call it."""
        return self.deleted_at is None and (self.owner_id == user_id or self.visibility is not Visibility.PRIVATE)


def slug_of(name: str) -> str:
    """A slug made of a name: lower case words joined by dashes, at most 48 characters."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    return "-".join(words)[:48].strip("-") or "resource"
