"""The way of a chat call: from the request to the answer, in the order in which OpenRouter checks it."""

from dataclasses import replace

from tests.fakes.openrouter.catalog import directives_of
from tests.fakes.openrouter.chat import admission, call, draft, outcomes, routing
from tests.fakes.openrouter.chat.call import Call
from tests.fakes.openrouter.chat.completion import complete
from tests.fakes.openrouter.chat.directives import parse
from tests.fakes.openrouter.chat.stream import EVENT_HEADERS, events
from tests.fakes.openrouter.chat.transport import BLANK_LINES, deliver
from tests.fakes.openrouter.chat.wished_errors import wished
from tests.fakes.openrouter.exact_json import Json, encode
from tests.fakes.openrouter.journal import Arrival
from tests.fakes.openrouter.reply import JSON_TYPE, Reply
from tests.fakes.openrouter.script import Script
from tests.fakes.openrouter.world import World


def chat(world: World, arrival: Arrival) -> Reply:
    """The answer to a chat call: a queued script, a refusal, or a completion."""
    queued = world.queue.take()
    if isinstance(queued, Script):
        return queued.reply(world.stopping)
    asked = call.read(arrival, world.accounts.authenticate(arrival), queued)
    model = routing.first_that_answers(world.catalog, asked.models, _always_fails)
    asked = replace(asked, directives=[*asked.directives, *parse(directives_of(model))])
    world.accounts.check_funds(asked.key, asked.cap)
    admission.check(asked, model)
    return deliver(_outcome(world, asked, model), asked.directives, world.stopping)


def _always_fails(model: Json) -> bool:
    return any(directive.name == "error" for directive in parse(directives_of(model)))


def _outcome(world: World, asked: Call, model: Json) -> Reply:
    for directive in asked.directives:
        if directive.name == "error":
            return wished(directive, model["id"])
    return _reply(asked, _completion(world, asked, model))


def _completion(world: World, asked: Call, model: Json) -> Json:
    """What the model answers; booked before it is sent, as the money is spent by then."""
    written = draft.write(asked, model)
    outcomes.reshape(written, asked)
    completion = complete(written, asked, model)
    outcomes.reprice(completion, asked)
    world.generations.record(asked.key, asked.arrival, completion)
    world.accounts.charge(asked.key, completion["usage"]["cost"])
    return completion


def _reply(asked: Call, completion: Json) -> Reply:
    visible, number = outcomes.disguise(completion, asked), {"X-Generation-Id": completion["id"]}
    if asked.streams:
        told = {**completion, **visible} if "error" in visible else visible
        return Reply(200, EVENT_HEADERS | number, events(told, done=not asked.asks("no-done")))
    return Reply(200, JSON_TYPE | number, (BLANK_LINES * 2 + b"\n", encode(visible)))
