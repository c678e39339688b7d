"""The model: the expected state of two users and one catalog, in plain dictionaries."""

from dataclasses import dataclass, field

from instant.domain.money import usd_text

USERS = ("alice", "bob")
MODELS = ("meadow/lark", "meadow/lark-mini", "northwind/gale-70b", "harbor/tide-code", "juniper/quill-7b")
LOSSES_ALLOWED_PERCENT = 10


@dataclass
class Made:
    """A resource."""

    resource_id: str
    owner: str
    name: str
    slug: str
    visibility: str
    model: str
    revision: int = 1

    def visible_to(self, user: str) -> bool:
        """Whether the user may read it."""
        return user == self.owner or self.visibility != "private"


@dataclass(frozen=True)
class Run:
    """A recorded execution; `cost` is in nano-USD, None if unknown."""

    user: str
    resource_id: str
    state: str
    cost: int | None
    counts: bool = True


@dataclass
class IntegrationState:
    """A user's key for OpenRouter."""

    key: str
    is_enabled: bool = True
    is_broken: bool = False


@dataclass
class World:
    """The expected state, without deleted objects."""

    resources: dict[str, Made] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    integrations: dict[str, IntegrationState] = field(default_factory=dict)
    api_keys: dict[str, str] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    models: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(MODELS, True))

    def owned_by(self, user: str) -> list[Made]:
        """A user's resources, newest first."""
        return [made for made in reversed(self.resources.values()) if made.owner == user]

    def public(self) -> list[Made]:
        """The public resources, newest first."""
        return [made for made in reversed(self.resources.values()) if made.visibility == "public"]

    def is_taken(self, owner: str, slug: str, *, but: str | None = None) -> bool:
        """Whether another resource of the owner has the slug."""
        return any(made.slug == slug and made.resource_id != but for made in self.owned_by(owner))

    def history_of(self, user: str) -> dict[str, tuple[str, str | None]]:
        """State and cost of a user's executions by id."""
        return {name: (run.state, usd_text(run.cost)) for name, run in self.runs.items() if run.user == user}

    def stats_of(self, made: Made, viewer: str) -> tuple[int, int, int, str | None]:
        """Calls, successes, failures and cost in USD of a resource; only executions that are DONE or FAILED count.

        Failures that are about the caller are calls only; the owner's own calls are in the owner's view only.
        """
        runs = [run for run in self.runs.values() if run.resource_id == made.resource_id]
        ended = [run for run in runs if run.state in {"DONE", "FAILED"}]
        seen = [run for run in ended if run.counts and (viewer == made.owner or run.user != made.owner)]
        successes = sum(run.state == "DONE" for run in seen)
        return len(ended), successes, len(seen) - successes, usd_text(sum(run.cost or 0 for run in ended))

    def rejection_code(self, user: str, made: Made, *, by_address: bool = False) -> str | None:
        """The error code of an execution that is rejected before anything is sent; None if it is sent."""
        integration = self.integrations.get(user)
        is_unlisted = by_address and made.visibility == "unlisted" and user != made.owner
        if is_unlisted or not made.visible_to(user):
            return "not_found"
        if not self.models[made.model]:
            return "model_unavailable"
        if integration is None:
            return "credential_missing"
        if not integration.is_enabled:
            return "credential_disabled"
        return "credential_rejected" if integration.is_broken else None

    def executable(self) -> list[tuple[str, Made]]:
        """The pairs of a user and a resource that the user can execute."""
        pairs = [(user, made) for user in USERS for made in self.resources.values()]
        return [(user, made) for user, made in pairs if self.rejection_code(user, made) is None]
