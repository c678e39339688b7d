"""The routes of the fake and their handlers."""

import re
from collections.abc import Callable

from tests.fakes.openrouter.api import details, listing
from tests.fakes.openrouter.api.consent import with_code
from tests.fakes.openrouter.api.embeddings import embeddings
from tests.fakes.openrouter.chat.endpoint import chat
from tests.fakes.openrouter.faults import error, not_found
from tests.fakes.openrouter.journal import CHAT_PATH, Arrival
from tests.fakes.openrouter.reply import Refused, Reply, json_reply
from tests.fakes.openrouter.world import World

Answer = Callable[[World, Arrival], Reply]


def key(world: World, arrival: Arrival) -> Reply:
    """GET /key: the limits and the usage of the bearer key."""
    if world.key_script:
        return world.key_script.reply()
    return json_reply(200, {"data": world.accounts.describe(world.accounts.authenticate(arrival))})


def generation(world: World, arrival: Arrival) -> Reply:
    """GET /generation?id=…"""
    return world.generations.answer(world.accounts.authenticate(arrival), arrival.query.get("id", ""))


def auth(world: World, arrival: Arrival) -> Reply:
    """GET /auth: grants consent at once; redirects with a code, or shows the code without a callback URL."""
    code = world.consent.allow(arrival.query)
    if callback := arrival.query.get("callback_url"):
        return Reply(302, {"Location": with_code(callback, code), "Content-Length": "0"})
    page = f"<!DOCTYPE html><title>OpenRouter</title><p>Copy this code: <code>{code}</code></p>"
    return Reply(200, {"Content-Type": "text/html; charset=UTF-8"}, (page.encode(),))


def auth_keys(world: World, arrival: Arrival) -> Reply:
    """POST /auth/keys: exchanges a code for a key; other methods get 405."""
    if arrival.method != "POST":
        raise error(405, "Method Not Allowed")
    if world.consent.scripts:
        return world.consent.scripts.popleft().reply()
    return json_reply(200, world.consent.exchange(arrival.json))


_ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("POST", re.escape(CHAT_PATH), chat),
    ("POST", "/api/v1/embeddings", embeddings),
    ("GET", "/api/v1/models", listing.models),
    ("GET", "/api/v1/models/count", listing.count),
    ("GET", "/api/v1/models/user", listing.models_of_user),
    ("GET", "/api/v1/models/[^/]+/[^/]+/endpoints", details.endpoints),
    ("GET", "/api/v1/model/[^/]+/[^/]+", details.model),
    ("GET", "/auth", auth),
    ("GET", "/api/v1/auth/keys", auth_keys),
    ("POST", "/api/v1/auth/keys", auth_keys),
    ("GET", "/api/v1/key", key),
    ("GET", "/api/v1/generation", generation),
)


def answer(world: World, arrival: Arrival) -> Reply:
    """The reply to any request, including error replies."""
    try:
        return _find(arrival)(world, arrival)
    except Refused as refused:
        return refused.reply


def _find(arrival: Arrival) -> Answer:
    for method, path, found in _ROUTES:
        if method == arrival.method and re.fullmatch(path, arrival.path):
            return found
    raise not_found()
