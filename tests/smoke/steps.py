"""The eight checks, in order; each uses what the earlier ones created."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.smoke.deployed import Deployed

BUDGET_USD = "0.25"
"""What all executions together can cost."""

SYNC_SECONDS = 300.0
"""How long a sync can take: the first one writes every model."""

PAUSE = 0.5
"""Seconds between two looks at the catalog."""

INTEGRATION = "/api/user/integrations/openrouter"

type Step = tuple[str, Callable[[], str]]


class CheckFailed(Exception):
    """A check had another result than expected; the message has the response."""


@dataclass
class Smoke:
    """The checks of one stack, as a new user whose executions are paid with `openrouter_key`."""

    deployed: Deployed
    api: httpx.Client
    openrouter_key: str
    _resources: list[str] = field(default_factory=list)

    def steps(self) -> Iterator[Step]:
        """Every check with its name."""
        yield "unknown route", self.unknown_route
        yield "sync of the catalog", self.sync
        yield "key for OpenRouter", self.connect
        yield "new resource", self.create
        yield "execution under a budget", self.execute
        yield "link to an image", self.image
        yield "alarm", self.alarm
        yield "deletion", self.delete

    def unknown_route(self) -> str:
        """An unknown route is our own 404, with and without a token; a route that needs a token is 401 without."""
        unknown, listed = "/api/no-such-route", "/api/resources"
        found = [self._ask("GET", unknown, 404), self._anonymous(unknown, 404), self._anonymous(listed, 401)]
        codes = [error["error"]["code"] for error in found]
        return _expected(codes, ["not_found", "not_found", "unauthenticated"])

    def sync(self) -> str:
        """A sync that an admin requests is carried out: its event passes the bus of the stack."""
        before = self._synced_at()
        self._ask("POST", "/api/admin/sync-models", 202, {})
        until = time.monotonic() + SYNC_SECONDS
        while self._synced_at() == before:
            if time.monotonic() > until:
                raise CheckFailed(
                    f"no sync within {SYNC_SECONDS:.0f} seconds; see the log group of CatalogSyncFunction"
                )
            time.sleep(PAUSE)
        return f"{self._ask('GET', '/api/models?limit=1')['total']} models"

    def connect(self) -> str:
        """The key is verified and stored encrypted."""
        saved = self._ask("POST", INTEGRATION, 201, {"api_key": self.openrouter_key})
        return f"…{saved['hint']}, {saved['status']}"

    def create(self) -> str:
        """A resource on the cheapest text model is created and listed."""
        self._resource = self._made("text", max_tokens=200)
        listed = [row["resource_id"] for row in self._ask("GET", "/api/resources")["data"]]
        return _expected(listed, [self._resource])

    def execute(self) -> str:
        """The cost is counted in the budget once, also when the call is repeated with its idempotency key."""
        budget = {"scope": "user", "daily_usd": BUDGET_USD, "monthly_usd": None}
        self._ask("PUT", "/api/budgets", 200, budget)
        order = {"resource_id": self._resource, "inputs": {"prompt": "Say hello in one word."}}
        once = {"Idempotency-Key": f"smoke-{self._resource}"}
        first, repeat = (self._ask("POST", "/api/execute", 200, order, headers=once) for _ in range(2))
        _expected(repeat["execution_id"], first["execution_id"])
        (budget_now,) = self._ask("GET", "/api/budgets?scope=user")["data"]
        _expected(budget_now["day"]["spent_usd"], first["usage"]["cost_usd"])
        return f"{first['model']}, {first['usage']['cost_usd']} USD of {BUDGET_USD}"

    def image(self) -> str:
        """A generated image is stored, and its link opens it."""
        painter = self._made("image", max_tokens=4_000)
        order = {"resource_id": painter, "inputs": {"prompt": "A plain blue circle."}}
        answer = self._ask("POST", "/api/execute", 200, order)
        url = str(answer["output"]["urls"][0])
        link = self._ask("GET", url, headers={"Accept": "application/json"})
        image = httpx.get(link["url"])
        if image.status_code != 200 or not image.headers["Content-Type"].startswith("image/"):
            raise CheckFailed(f"GET {url}: the link answered {image.status_code}")
        return f"{len(image.content)} bytes, {answer['usage']['cost_usd']} USD"

    def alarm(self) -> str:
        """The alarm on failures exists, can be raised, and notifies the topic."""
        name = self.deployed.alarm("FailureAlarm")
        if not name:
            raise CheckFailed(f"{self.deployed.name} has no FailureAlarm that notifies {self.deployed.topic}")
        _expected(self.deployed.raise_alarm(name), "ALARM")
        return f"raised; confirmed subscriptions to the topic: {self.deployed.subscribers()}"

    def delete(self) -> str:
        """What was created is deleted, and not found afterwards."""
        for resource in self._resources:
            self._ask("DELETE", f"/api/resources/{resource}", 204)
            self._ask("GET", f"/api/resources/{resource}", 404)
        self._ask("DELETE", INTEGRATION, 204)
        self._ask("PUT", "/api/budgets", 200, {"scope": "user", "daily_usd": None, "monthly_usd": None})
        return _expected(self._ask("GET", "/api/resources")["data"], [])

    def _synced_at(self) -> str | None:
        models = self._ask("GET", "/api/models?limit=1")["data"]
        return str(models[0]["last_synced_at"]) if models else None

    def tidy(self) -> None:
        """Delete what a failed check has left; the stored key above all."""
        for path in (*(f"/api/resources/{resource}" for resource in self._resources), INTEGRATION):
            with suppress(httpx.HTTPError):
                self.api.delete(path)

    def _made(self, modality: str, **settings: object) -> str:
        """The id of a new resource on the cheapest model with this output that has a price and a maximum length."""
        wanted = f"input_modality=text&output_modality={modality}&supported_parameter=max_tokens&free=false"
        query = f"/api/models?{wanted}&sort=price&limit=50"
        usable = [row["openrouter_id"] for row in self._ask("GET", query)["data"] if row["usable"]]
        model = next((name for name in usable if not re.search("^~|^faulty/|:", name)), None)
        if model is None:
            raise CheckFailed(f"the catalog has no usable model: {query}")
        about = {"resource_type": "openrouter_instant", "name": model, "config": {"model": model, **settings}}
        self._resources.append(str(self._ask("POST", "/api/resources", 201, about)["resource_id"]))
        return self._resources[-1]

    def _ask(
        self, method: str, path: str, status: int = 200, body: Any = None, headers: dict[str, str] | None = None
    ) -> Any:
        try:
            return _json(self.api.request(method, path, json=body, headers=headers), status)
        except httpx.HTTPError as error:
            raise CheckFailed(f"{method} {path}: {error}") from error

    def _anonymous(self, path: str, status: int) -> Any:
        try:
            return _json(httpx.get(self.deployed.url + path), status)
        except httpx.HTTPError as error:
            raise CheckFailed(f"GET {path}: {error}") from error


def _json(response: httpx.Response, status: int) -> Any:
    if response.status_code != status:
        asked, text = response.request, response.text[:500]
        raise CheckFailed(f"{asked.method} {asked.url.path} answered {response.status_code}, not {status}: {text}")
    return response.json() if response.content else None


def _expected(found: object, wanted: object) -> str:
    if found != wanted:
        raise CheckFailed(f"{found} instead of {wanted}")
    return "as expected"
