"""Resources in DynamoDB: the row, the row that reserves the address, and the indexes for lists."""

from dataclasses import asdict
from typing import Any, Self

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from instant.adapters.aws.tables import IntegerAttribute, Table
from instant.domain.catalog.successor import SuccessorPolicy
from instant.domain.resources.listing import searchable
from instant.domain.resources.ranking import UseCounts
from instant.domain.resources.resource import Resource, Visibility

LISTED = "public"
"""The value of `listing`; rows without it are in no public index (sparse index)."""

LISTED_FACTS = [
    "owner_id", "resource_type", "name", "slug", "description", "category", "visibility", "ai_model_id", "revision",
    "updated_at", "search", "calls_30d", "successes_30d",
]  # fmt: skip
"""The attributes in public indexes besides keys: all except the settings, which may have 200,000 characters."""

OWNED_FACTS = [*LISTED_FACTS, "deleted_at", "prices"]
"""The attributes in the index by owner, besides keys: `prices` tells which models a resource uses."""

USE_FACTS = ["owner_id", "successor_policy", "deleted_at"]
"""The attributes in the index by model, besides keys."""

_RANKS = ("calls_30d", "successes_30d", "calls_rank", "success_rank")


class Owned(GlobalSecondaryIndex["ResourceRow"]):  # type: ignore[no-untyped-call]
    """Index of a user's resources by time, without their settings; `by_owner`, which it replaces, has everything."""

    class Meta:
        """The index in template.yaml."""

        index_name = "owned"
        projection = IncludeProjection(OWNED_FACTS)

    owner_id = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class ByModel(GlobalSecondaryIndex["ResourceRow"]):  # type: ignore[no-untyped-call]
    """Index of the resources that use a model, as primary model or fallback."""

    class Meta:
        """The index in template.yaml."""

        index_name = "by_model"
        projection = IncludeProjection(USE_FACTS)

    ai_model_id = UnicodeAttribute(hash_key=True)


class Public(GlobalSecondaryIndex["ResourceRow"]):  # type: ignore[no-untyped-call]
    """Sparse index of public resources by time, without their settings."""

    class Meta:
        """The index in template.yaml."""

        index_name = "public"
        projection = IncludeProjection(LISTED_FACTS)

    listing = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class Popular(GlobalSecondaryIndex["ResourceRow"]):  # type: ignore[no-untyped-call]
    """Index of public resources by calls."""

    class Meta:
        """The index in template.yaml."""

        index_name = "popular"
        projection = IncludeProjection(LISTED_FACTS)

    listing = UnicodeAttribute(hash_key=True)
    calls_rank = UnicodeAttribute(range_key=True)


class Reliable(GlobalSecondaryIndex["ResourceRow"]):  # type: ignore[no-untyped-call]
    """Index of public resources by success rate."""

    class Meta:
        """The index in template.yaml."""

        index_name = "reliable"
        projection = IncludeProjection(LISTED_FACTS)

    listing = UnicodeAttribute(hash_key=True)
    success_rank = UnicodeAttribute(range_key=True)


class ResourceRow(Table):
    """One resource. `search` is the text for searches; ranks exist only while it is public."""

    resource_id = UnicodeAttribute(hash_key=True)
    owner_id = UnicodeAttribute()
    resource_type = UnicodeAttribute()
    name = UnicodeAttribute()
    slug = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    category = UnicodeAttribute(null=True)
    visibility = UnicodeAttribute()
    ai_model_id = UnicodeAttribute(null=True)
    config = JSONAttribute()
    successor_policy = UnicodeAttribute(default=SuccessorPolicy.SUGGEST.value)
    prices = JSONAttribute(default=dict)
    revision = IntegerAttribute()
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    deleted_at = UnicodeAttribute(null=True)
    expires_at = IntegerAttribute(null=True)
    search = UnicodeAttribute(null=True)
    listing = UnicodeAttribute(null=True)
    calls_30d = IntegerAttribute(null=True)
    successes_30d = IntegerAttribute(null=True)
    calls_rank = UnicodeAttribute(null=True)
    success_rank = UnicodeAttribute(null=True)
    owned = Owned()
    by_model = ByModel()
    public = Public()
    popular = Popular()
    reliable = Reliable()

    def record(self) -> Resource:
        """Convert the row to the domain object."""
        derived = {"search", "listing", "expires_at", *_RANKS}
        fields = {name: value for name, value in self.values.items() if name not in derived}
        usage = UseCounts(self.calls_30d, self.successes_30d) if "calls_30d" in self.values else None
        policy = SuccessorPolicy(self.successor_policy)
        facts = {"visibility": Visibility(self.visibility), "usage": usage, "successor_policy": policy}
        return Resource(**{**fields, **facts})

    def write(self, resource: Resource) -> list[Action]:
        """The updates that store `resource`; ranks are written by the ranking and kept while it is public."""
        row = type(self)
        actions = [_put(getattr(row, name), value) for name, value in values_of(resource).items()]
        if resource.visibility is not Visibility.PUBLIC:
            return [*actions, *(getattr(row, name).remove() for name in _RANKS)]
        ranks = ranks_of(resource.resource_id, UseCounts())
        return [*actions, *(getattr(row, name).set(getattr(row, name) | value) for name, value in ranks.items())]


class AddressRow(Table):
    """Reserves an address: `resource_id` holds `addr#handle/slug`, `target` the resource."""

    resource_id = UnicodeAttribute(hash_key=True)
    target = UnicodeAttribute()


class CountRow(Table):
    """Counts a user's resources: `resource_id` holds `count#owner_id`. It is written with the first of them."""

    resource_id = UnicodeAttribute(hash_key=True)
    live = IntegerAttribute()


class FallbackRow(Table):
    """Records that a resource uses a model as a fallback: `resource_id` holds `use#resource_id#model`."""

    resource_id = UnicodeAttribute(hash_key=True)
    ai_model_id = UnicodeAttribute()
    owner_id = UnicodeAttribute()
    successor_policy = UnicodeAttribute()

    @classmethod
    def of(cls, resource: Resource) -> list[Self]:
        """The rows of a resource's fallbacks, with its data when the settings were saved."""
        return [
            cls(
                f"use#{resource.resource_id}#{model}",
                ai_model_id=model,
                owner_id=resource.owner_id,
                successor_policy=resource.successor_policy.value,
            )
            for model in resource.prices
            if model != resource.ai_model_id
        ]


def user_of(key: str) -> str:
    """The resource whose row, or whose fallback's row, has this key."""
    return key.split("#")[1] if key.startswith("use#") else key


def values_of(resource: Resource) -> dict[str, Any]:
    """All attributes except the key and the ranks; None if unset."""
    words = {"visibility": resource.visibility.value, "successor_policy": resource.successor_policy.value}
    values = {**asdict(resource), **words}
    del values["resource_id"], values["usage"]
    search = searchable(resource.name, resource.category, resource.ai_model_id, resource.description)
    return {**values, "search": search, "listing": LISTED if resource.visibility is Visibility.PUBLIC else None}


def ranks_of(resource_id: str, usage: UseCounts) -> dict[str, Any]:
    """The attributes by which a resource is ranked."""
    return {
        "calls_30d": usage.calls,
        "successes_30d": usage.successes,
        "calls_rank": usage.calls_rank(resource_id),
        "success_rank": usage.success_rank(resource_id),
    }


def _put(attribute: Any, value: object) -> Action:
    action: Action = attribute.remove() if value is None else attribute.set(value)
    return action
