"""Every door to the outside, on one page but for those of the catalog and of the books; the adapters open them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from instant.domain.api_key import ApiKey
from instant.domain.budget import Budget, Subject
from instant.domain.catalog import CatalogModel, SyncRecord
from instant.domain.image import Image, Picture
from instant.domain.integration import Account, Integration, KeyStatus
from instant.domain.limits import Rate
from instant.domain.listing import ResourceSort, Wanted
from instant.domain.page import Page, PageRequest
from instant.domain.ranking import UseCounts
from instant.domain.resource import Resource
from instant.domain.secret import Secret
from instant.domain.stats import Stats
from instant.domain.token import TokenClaims


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime:
        """The present moment, in UTC."""

    def monotonic(self) -> float:
        """Seconds that only ever go forward."""

    def sleep(self, seconds: float) -> None:
        """Wait so long."""


class ResourceReader(Protocol):
    """One resource at a time; deleted ones are not found."""

    def get(self, resource_id: str) -> Resource | None:
        """The resource, read consistently."""


class ResourceStore(Protocol):
    """Resources by id and by address; deleted ones are not found."""

    def get(self, resource_id: str) -> Resource | None:
        """The resource, read consistently."""

    def find(self, address: str) -> Resource | None:
        """The resource at `handle/slug`, read consistently."""

    def create(self, resource: Resource) -> None:
        """Store a new one; `AddressTaken` if its owner already has the slug."""

    def replace(self, old: Resource, new: Resource) -> None:
        """Store `new` if `old` is still current (`RevisionConflict`); its address may move (`AddressTaken`)."""

    def delete(self, resource: Resource, deleted_at: str) -> None:
        """Mark it deleted and free its address, if it is still current (`RevisionConflict`)."""


class ResourceLists(Protocol):
    """Resources in lists: each page looks at no more than `MOST_EXAMINED` rows, so it may be short and yet go on."""

    def owned_by(self, user_id: str, wanted: Wanted, page: PageRequest) -> Page[Resource]:
        """A user's own resources, newest first."""

    def public(self, sort: ResourceSort, wanted: Wanted, page: PageRequest) -> Page[Resource]:
        """Everybody's public resources, without their settings."""


class RankStore(Protocol):
    """The ranks of public resources."""

    def every_public(self) -> Iterator[Resource]:
        """Each public resource with its usage as last ranked, one page in memory at a time."""

    def rank(self, resource_id: str, usage: UseCounts) -> bool:
        """Note the usage, if the resource is still there and public; whether it was noted."""


class StatsStore(Protocol):
    """How often resources were called; written by the ledger alone."""

    def of(self, resource_id: str, now: datetime) -> Stats:
        """The sums as of `now`."""


class IntegrationReader(Protocol):
    """One user's connection to one service."""

    def get(self, user_id: str, service: str) -> Integration | None:
        """The connection, read consistently."""


class IntegrationStore(IntegrationReader, Protocol):
    """Users' connections to outside services."""

    def put(self, integration: Integration) -> None:
        """Store it, replacing the one before."""

    def delete(self, user_id: str, service: str) -> None:
        """Forget it."""

    def enable(self, user_id: str, service: str, is_enabled: bool) -> bool:
        """Switch the key on or off; whether there is one."""

    def cap_of(self, user_id: str) -> int | None:
        """The most that one call may cost the user in nano-USD, as set; read consistently."""

    def set_cap(self, user_id: str, nanousd: int) -> None:
        """Set the most that one call may cost the user."""


class KeyVerdicts(Protocol):
    """Where it is noted what a service said about a stored key."""

    def note(self, integration: Integration, status: KeyStatus, at: str, limit_remaining: str | None = None) -> None:
        """Note the verdict, unless the key was replaced or deleted meanwhile."""


class ModelReader(Protocol):
    """One model at a time."""

    def get(self, openrouter_id: str) -> CatalogModel | None:
        """The model, read consistently; inactive ones too."""


class CatalogReader(Protocol):
    """The whole catalog."""

    def all(self) -> Sequence[CatalogModel]:
        """Every model ever seen, inactive ones too, by id."""

    def last_sync(self) -> SyncRecord | None:
        """What the last successful sync did."""


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
    """The caller's connection, the models and the budgets in one consistent read."""

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


class ApiKeyStore(Protocol):
    """Our own API keys by hash."""

    def get(self, key_hash: str) -> ApiKey | None:
        """The record, read consistently."""

    def put(self, key: ApiKey) -> None:
        """Store a new one."""

    def find(self, key_id: str) -> ApiKey | None:
        """The record of the key with this id, read consistently."""

    def of_user(self, user_id: str) -> list[ApiKey]:
        """A user's keys, newest first."""

    def revoke(self, key: ApiKey, revoked_at: str) -> None:
        """Close it for good."""

    def note_use(self, key: ApiKey, hour: str) -> None:
        """Note that it was used in this hour, unless that, or a later hour, is noted already."""


class TokenVerifier(Protocol):
    """Reads access tokens of the issuer that the operator trusts."""

    def verify(self, token: str) -> TokenClaims:
        """What the token says; `Unauthenticated` unless it is good now, and `UpstreamUnavailable` if nobody can tell.

        That is when the issuer cannot be reached and none of its keys are at hand.
        """


class KeySealer(Protocol):
    """Encrypts users' keys."""

    def seal(self, key: Secret, *, user_id: str, service: str) -> bytes:
        """The ciphertext, bound to the user and the service."""


class KeyOpener(Protocol):
    """Decrypts users' keys."""

    def open(self, ciphertext: bytes, *, user_id: str, service: str) -> Secret:
        """The key; `CredentialRejected` if the ciphertext belongs to another user or service."""


class PictureReader(Protocol):
    """Makes sure that bytes are a picture."""

    def read(self, data: bytes) -> Picture | None:
        """The picture, decoded whole and without anything beside it; None if `data` is none, or too large a one."""


class ImageStore(Protocol):
    """Where images are kept."""

    def keep(self, image: Image, data: bytes) -> None:
        """Store the bytes, then the record; again is a no-op."""


class ImageReader(Protocol):
    """The records of kept images."""

    def get(self, image_id: str) -> Image | None:
        """The record, read consistently."""


class ImageLinks(Protocol):
    """Short-lived links to kept images."""

    def link(self, image: Image, *, seconds: int) -> str:
        """A URL under which anybody can read the image for so long."""


class Limiter(Protocol):
    """How much each user calls; `LimitsUnavailable` when that cannot be told."""

    def count(self, user_id: str, what: str, rate: Rate) -> None:
        """Count one call; `RateLimited` if `rate` allows no more in the present window."""

    def admit(self, user_id: str, rate: Rate, most: int, seconds: float) -> str:
        """Let an execution begin and hold one of `most` leases, for `seconds` at the longest; else `RateLimited`."""

    def release(self, user_id: str, lease: str) -> None:
        """Give a lease back; again is a no-op."""


class EventBus(Protocol):
    """Events to other functions."""

    def put(self, detail_type: str, detail: dict[str, object]) -> None:
        """Send one event."""

    def put_all(self, detail_type: str, details: Iterable[dict[str, object]]) -> int:
        """Send many and say how many; if some cannot be sent, `UpstreamUnavailable` after those that could."""
