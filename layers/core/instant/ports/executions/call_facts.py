"""The stored facts that an execution needs besides the resource."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from instant.domain.access.integration import Account
from instant.domain.catalog.model import CatalogModel
from instant.domain.usage.budget import Budget, Subject


@dataclass(frozen=True, slots=True)
class CallFacts:
    """The stored facts that an execution needs besides the resource.

    `caller` and `platform` have the integration with the service, if any, and the cap; `platform` is None unless it was
    requested. `models` are the requested models that are in the catalog, by id; `budgets` those that are set.
    """

    caller: Account
    models: Mapping[str, CatalogModel]
    budgets: Sequence[Budget] = ()
    platform: Account | None = None


class CallFactsReader(Protocol):
    """Reads the caller's integration, the models and the budgets in one consistent read."""

    def of(
        self,
        user_id: str,
        service: str | None,
        model_ids: Sequence[str],
        subjects: Sequence[Subject],
        *,
        platform: bool,
    ) -> CallFacts:
        """The current facts; the budgets are those of `subjects`, in their order."""
