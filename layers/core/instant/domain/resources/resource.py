"""A resource: a model with settings, an owner, and an address at which it can be called."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from instant.domain.access.identity import handle_of
from instant.domain.catalog.successor import SuccessorPolicy
from instant.domain.errors import LimitReached
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
"""A capability or quality of a resource, as a label."""


class Visibility(StrEnum):
    """Access to a resource: its owner only; any user who has its id; all users, with listing."""

    PRIVATE = "private"
    UNLISTED = "unlisted"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One callable resource; `revision` increases with every change, times are text in the form of `format_time`.

    `ai_model_id` is the primary model; None where the type needs no model. `usage` is from the last ranking: only
    public resources are ranked. `config` is empty in lists. `prices` has the price of each model in the settings
    at the time they were saved, by id, and so contains all of these ids; it is empty for resources that were last saved
    before prices were stored.
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
        """`handle/slug`, unique among all resources."""
        return f"{handle_of(self.owner_id)}/{self.slug}"

    def visible_to(self, user_id: str, *, by_address: bool = False) -> bool:
        """Whether `user_id` may see and call it; an address, which can be guessed, opens no unlisted resource."""
        hidden = {Visibility.PRIVATE, Visibility.UNLISTED} if by_address else {Visibility.PRIVATE}
        return self.deleted_at is None and (self.owner_id == user_id or self.visibility not in hidden)


def too_many(most: int) -> LimitReached:
    """The error for exceeding the maximum number of resources per user."""
    message = f"You have {most} resources, which is the maximum. Delete one that you no longer need."
    return LimitReached(message, details={"limit": "resources", "most": most})
