"""The handler of chat calls, which runs OpenRouter's checks in its order."""

from dataclasses import replace

from tests.fakes.openrouter.catalog import directives_of
from tests.fakes.openrouter.chat import admission, call, draft, outcomes, routing
from tests.fakes.openrouter.chat.call import Call
from tests.fakes.openrouter.chat.completion import complete
from tests.fakes.openrouter.chat.directives import parse
from tests.fakes.openrouter.chat.error_directives import requested_error
from tests.fakes.openrouter.chat.stream import EVENT_HEADERS, events
from tests.fakes.openrouter.chat.transport import BLANK_LINES, deliver
from tests.fakes.openrouter.exact_json import Json, encode
from tests.fakes.openrouter.journal import Arrival
from tests.fakes.openrouter.reply import JSON_TYPE, Reply
from tests.fakes.openrouter.script import Script
from tests.fakes.openrouter.streams.deltas import deltas
from tests.fakes.openrouter.streams.holds import with_holds
from tests.fakes.openrouter.streams.metered import metered
from tests.fakes.openrouter.world import World


def chat(world: World, arrival: Arrival) -> Reply:
    """The reply to a chat call: a queued script, an error, or a completion."""
    queued = world.queue.take()
    if isinstance(queued, Script):
        return queued.reply()
    asked = call.read(arrival, world.accounts.authenticate(arrival), queued)
    model = routing.first_available(world.catalog, asked.models, _always_fails)
    asked = replace(asked, directives=[*asked.directives, *parse(directives_of(model))])
    world.accounts.check_funds(asked.key, asked.cap)
    admission.check(asked, model)
    return _outcome(world, asked, model)


def _always_fails(model: Json) -> bool:
    return any(directive.name == "error" for directive in parse(directives_of(model)))


def _outcome(world: World, asked: Call, model: Json) -> Reply:
    for directive in asked.directives:
        if directive.name == "error":
            return deliver(requested_error(directive, model["id"]), asked.directives, world.stopping)
    completion = _completion(world, asked, model)
    visible = outcomes.client_view(completion, asked)
    if asked.streams and not asked.asks("plain-json"):
        return _stream(world, asked, completion, visible)
    headers = JSON_TYPE | {"X-Generation-Id": completion["id"]}
    return deliver(Reply(200, headers, (BLANK_LINES * 2 + b"\n", encode(visible))), asked.directives, world.stopping)


def _completion(world: World, asked: Call, model: Json) -> Json:
    """The completion of the model; recorded and charged before it is sent."""
    written = draft.write(asked, model)
    outcomes.reshape(written, asked)
    completion = complete(written, asked, model)
    outcomes.reprice(completion, asked)
    world.generations.record(asked.key, asked.arrival, completion)
    world.accounts.charge(asked.key, completion["usage"]["cost"])
    return completion


def _stream(world: World, asked: Call, completion: Json, visible: Json) -> Reply:
    streamed = {**completion, **visible} if "error" in visible else visible
    parts = deltas(streamed, outcomes.delta_size(asked))
    pieces = with_holds(events(streamed, not asked.asks("no-done"), parts), world.take_holds())
    reply = Reply(200, EVENT_HEADERS | {"X-Generation-Id": completion["id"]}, pieces)
    reply = deliver(reply, asked.directives, world.stopping)
    return replace(reply, pieces=metered(world, asked.key, completion, reply.pieces, len(parts)))
