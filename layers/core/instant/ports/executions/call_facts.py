"""What an execution must know besides the resource."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from instant.domain.access.integration import Account
from instant.domain.catalog.model import CatalogModel
from instant.domain.usage.budget import Budget, Subject


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What an execution must know besides the resource.

    `caller` and `platform` have the key for the service, if there is one, and the cap; `platform` is None unless it was
    asked for. `models` has those that the catalog knows, by id; `budgets` those that are set.
    """

    caller: Account
    models: Mapping[str, CatalogModel]
    budgets: Sequence[Budget] = ()
    platform: Account | None = None


class CallFactsReader(Protocol):
    """The caller's integration, the models and the budgets in one consistent read."""

    def of(
        self,
        user_id: str,
        service: str | None,
        model_ids: Sequence[str],
        subjects: Sequence[Subject],
        *,
        platform: bool,
    ) -> CallFacts:
        """All of them, as they are now; of the budgets those of `subjects`, in their order."""
