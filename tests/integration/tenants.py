"""Tenants of one app: each owns an item of every kind and has an API key for every set of scopes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.domain.access.api_key import mint
from instant.domain.access.identity import Scope
from instant.domain.ids import new_id
from tests.integration.app import App
from tests.integration.http.test_bad_requests import BODIES
from tests.integration.media import PAINTER
from tests.integration.synced_app import MODEL, created

SERVICE = "/api/user/integrations/openrouter"
TABLES = (
    *("RESOURCES_TABLE", "INTEGRATIONS_TABLE", "EXECUTIONS_TABLE", "USAGE_TABLE", "IMAGES_TABLE", "API_KEYS_TABLE"),
)


@dataclass
class Tenant:
    """A user, and the ids of the items that the user owns."""

    user: str
    ids: Mapping[str, str] = field(default_factory=dict)
    public_id: str = ""
    keys: dict[frozenset[Scope], str] = field(default_factory=dict)


def create_tenant(app: App, user: str) -> Tenant:
    """Create a tenant with an integration, resources, an execution, an image and an API key."""
    assert app.connect(user).status == 201
    resource = created(app, user, slug=f"{user}-s-own")
    public = created(app, user, visibility="public")
    painter = created(app, user, {"model": PAINTER})
    app.execute(painter["resource_id"], "A harbour.", user=user)
    painting = app.execute(painter["resource_id"], "A boat.", user=user).json
    key = app.call("POST", "/api/user/api-keys", {"name": "spare", "scopes": ["execute"]}, user=user).json
    ids = {
        "resource_id": resource["resource_id"],
        "address": resource["address"],
        "execution_id": painting["execution_id"],
        "image_id": painting["output"]["urls"][0].rpartition("/")[2],
        "key_id": key["key_id"],
    }
    return Tenant(user, ids, public["resource_id"])


def key_of(app: App, tenant: Tenant, scopes: Iterable[Scope] = frozenset(Scope)) -> str:
    """Return the tenant's API key with these scopes; it is created on the first call."""
    wanted = frozenset(scopes)
    if wanted not in tenant.keys:
        secret, key = mint(user_id=f"user_{tenant.user}", name="test", scopes=wanted, now=datetime.now(UTC))
        DynamoApiKeyStore(app.name("API_KEYS_TABLE")).put(key)
        tenant.keys[wanted] = secret.reveal()
    return tenant.keys[wanted]


def missing(ids: Mapping[str, str]) -> dict[str, str]:
    """Return ids of the same length that do not exist."""
    fresh = {name: new_id(value[:3], datetime.now(UTC)) for name, value in ids.items() if name != "address"}
    return {**fresh, "address": ids["address"][:-1] + "0"}


def target_of(path: str, ids: Mapping[str, str]) -> str:
    """Return the path of a route with these ids."""
    author, slug = MODEL.split("/")
    if path == "/v1/models/{model}/{slug}":
        return f"/v1/models/{ids['address']}"
    return path.format(**ids, service="openrouter", author=author, slug=slug, model=ids["resource_id"])


def body_of(method: str, path: str, ids: Mapping[str, str]) -> Any:
    """Return a valid body for a route, with these ids."""
    good = BODIES.get((method, path)) or {}
    name = next((name for name in ("resource_id", "model") if good.get(name) == ""), None)
    return {**good, name: ids["resource_id"]} if name else good or None


def rows_of(app: App, tenant: Tenant) -> list[str]:
    """Return every row of a tenant, without the time at which an API key was last used."""
    owner = f"'user_{tenant.user}'"
    rows = (repr({**row, "last_used_at": None}) for table in TABLES for row in app.table(table))
    return sorted(row for row in rows if owner in row)
