"""Runs calls with OpenRouter's own Python package and prints what they returned, as JSON.

Reads `{"client": {…}, "calls": {name: [function, arguments]}}` from standard input. It knows nothing of this project.
"""

import json
import sys
from typing import Any

from openrouter import OpenRouter
from openrouter.errors import OpenRouterError

Json = dict[str, Any]


def chat(client: OpenRouter, **arguments: Any) -> Json:
    """One completion."""
    return plain(client.chat.send(**arguments))


def stream(client: OpenRouter, **arguments: Any) -> Json:
    """A streamed completion: its chunks, and the error that ended it."""
    chunks: list[Json] = []
    try:
        with client.chat.send(stream=True, **arguments) as events:
            chunks.extend(plain(chunk) for chunk in events)
    except OpenRouterError as error:
        return {"chunks": chunks, **raised(error)}
    return {"chunks": chunks}


def models(client: OpenRouter, **arguments: Any) -> Json:
    """All pages of models."""
    rows: list[Any] = []
    page = client.models.list(**arguments)
    while page is not None:
        rows += plain(page.result)["data"]
        page = page.next()
    return {"rows": rows}


def embed(client: OpenRouter, **arguments: Any) -> Json:
    """Embeddings."""
    return plain(client.embeddings.generate(**arguments))


def plain(value: Any) -> Json:
    """The value as a dictionary; the package has validated it."""
    found: Json = json.loads(value.model_dump_json(by_alias=True))
    return found


def raised(error: OpenRouterError) -> Json:
    """An error as a caller sees it."""
    return {"raised": type(error).__name__, "status_code": error.status_code, "body": error.body}


FUNCTIONS = (chat, stream, models, embed)


def main() -> None:
    """Run the calls in order; without retries, unless `retries` asks for the package's default."""
    asked = json.load(sys.stdin)
    functions = {function.__name__: function for function in FUNCTIONS}
    settings = {} if asked["client"].pop("retries", False) else {"retry_config": None}
    facts: Json = {}
    with OpenRouter(**asked["client"], **settings) as client:
        for name, (function, arguments) in asked["calls"].items():
            try:
                facts[name] = functions[function](client, **arguments)
            except OpenRouterError as error:
                facts[name] = raised(error)
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
