"""A demo of the HTTP API: catalog sync, resources, executions, an image, and statistics."""

import http.client
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO
from urllib.parse import urlsplit
from urllib.request import urlopen

from tests.timeouts import HANG_SECONDS

_PROMPT = "Say in one sentence why a model behind a plain HTTP call is useful."
_PICTURE = "Paint a quiet harbour at dawn."
_TEMPLATE = "Explain {{topic}} to {{reader}} in one sentence."
_INPUTS = {"topic": "serverless functions", "reader": "a baker"}
_MAX_TOKENS = 200


class DemoFailed(Exception):
    """A step failed; the message contains the server's response."""


@dataclass
class Demo:
    """Runs the demo against the API at `url` with the keys of alice, bob and admin.

    `openrouter_key` is a real key; without it, the upstream is a fake that accepts any key.
    """

    url: str
    keys: dict[str, str]
    upstream_url: str
    openrouter_key: str | None
    output: TextIO

    def run(self) -> None:
        """Run and print every step, then print further commands; raises DemoFailed if a step fails."""
        fake = "" if self.openrouter_key else "a fake OpenRouter at "
        self._say(f"\nInstant Resources at {self.url}, in front of {fake}{self.upstream_url}\n")
        self._step("sync the model catalog", self._sync)
        self._step("list the model changes", self._changes)
        self._step("connect alice's OpenRouter key", self._connect)
        self._step("pick a cheap text model", self._pick)
        self._step("create a public resource", self._create)
        self._step("execute it", self._execute)
        self._step("fill in a template", self._fill_in)
        self._step("generate an image", self._paint)
        self._step("download the image", self._see)
        self._step("read the statistics", self._read)
        self._say(self._next_steps())

    def _step(self, name: str, action: Callable[[], str]) -> None:
        started = time.perf_counter()
        found = action()
        self._say(f"  {name:<32}{(time.perf_counter() - started) * 1000:>6.0f} ms   {found}")

    def _sync(self) -> str:
        self._call("POST", "/api/admin/sync-models", "admin", {})
        until = time.monotonic() + HANG_SECONDS
        while time.monotonic() < until:
            total = self._call("GET", "/api/models?limit=1")["total"]
            if total:
                return f"{total} models"
            time.sleep(0.1)
        raise DemoFailed(f"the catalog is still empty after {HANG_SECONDS:.0f} seconds")

    def _changes(self) -> str:
        newest = self._call("GET", "/api/models/changes?limit=2")["data"]
        return ", ".join(f"{change['openrouter_id']} {change['kind']}" for change in newest)

    def _connect(self) -> str:
        key = {"api_key": self.openrouter_key or _made_up_key()}
        saved = self._call("POST", "/api/user/integrations/openrouter", "alice", key)
        return f"…{saved['hint']}, {saved['status']}"

    def _pick(self) -> str:
        self._model, price = self._cheapest("output_modality=text&supported_parameter=max_tokens")
        return f"{self._model} at ${price} per prompt token"

    def _create(self) -> str:
        config = {"model": self._model, "system_prompt": "You answer briefly.", "max_tokens": _MAX_TOKENS}
        self._resource = self._made("openrouter_instant", "Brief answers", config)
        return self._resource

    def _execute(self) -> str:
        answer = self._executed(self._resource, {"prompt": _PROMPT})
        usage = answer["usage"]
        tokens = f"{usage['prompt_tokens']} + {usage['completion_tokens']} tokens"
        served = f"${usage['cost_usd']}, {tokens}, {answer['model']} by {answer['provider']}"
        return f"{served}\n\n    {_PROMPT}\n    > {answer['output']['content'].strip()}\n"

    def _fill_in(self) -> str:
        properties = {name: {"type": "string"} for name in _INPUTS}
        schema = {"type": "object", "properties": properties, "required": list(properties)}
        config = {"model": self._model, "max_tokens": _MAX_TOKENS, "template": _TEMPLATE, "input_schema": schema}
        answer = self._executed(self._made("prompt_template", "Explainer", config), _INPUTS)
        filled = ", ".join(f"{name}: {value}" for name, value in _INPUTS.items())
        cost = f"${answer['usage']['cost_usd']}, {answer['model']}"
        return f"{cost}\n\n    {_TEMPLATE} ({filled})\n    > {answer['output']['content'].strip()}\n"

    def _paint(self) -> str:
        model, _ = self._cheapest("output_modality=image&supported_parameter=max_tokens")
        answer = self._executed(self._made("openrouter_instant", "Painter", {"model": model}), {"prompt": _PICTURE})
        self._image = str(answer["output"]["urls"][0])
        return f"${answer['usage']['cost_usd']}, {answer['model']}\n\n    {_PICTURE}\n    > {self._image}\n"

    def _see(self) -> str:
        link = self._call("GET", self._image.removeprefix(self.url), "alice")
        with urlopen(link["url"], timeout=HANG_SECONDS) as picture:
            return f"{picture.headers['Content-Type']}, {len(picture.read())} bytes, until {link['expires_at']}"

    def _read(self) -> str:
        stats = self._call("GET", f"/api/resources/{self._resource}", "alice")["stats"]
        counts = (
            f"{stats['call_count']} call, {stats['success_count_30d']} success, {stats['failure_count_30d']} failures"
        )
        return f"{counts}, ${stats['cost_usd_30d']} in 30 days"

    def _cheapest(self, wanted: str) -> tuple[str, str]:
        """The cheapest model that is not free, and its price per prompt token."""
        models = self._call("GET", f"/api/models?input_modality=text&free=false&sort=price&limit=50&{wanted}")["data"]
        plain = [m for m in models if m["usable"] and not re.search(r"^~|^faulty/|:", m["openrouter_id"])]
        if not plain:
            raise DemoFailed(f"the catalog has no cheap model with {wanted}")
        return str(plain[0]["openrouter_id"]), str(plain[0]["pricing"]["prompt"])

    def _made(self, kind: str, name: str, config: dict[str, Any]) -> str:
        about = {"resource_type": kind, "name": name, "visibility": "public", "config": config}
        return str(self._call("POST", "/api/resources", "alice", about)["resource_id"])

    def _executed(self, resource: str, inputs: dict[str, str]) -> Any:
        return self._call("POST", "/api/execute", "alice", {"resource_id": resource, "inputs": inputs})

    def _call(self, method: str, path: str, user: str | None = None, body: Any = None) -> Any:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=HANG_SECONDS)
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {self.keys[user]}"} if user else {})
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, parts.path + path, content, {**headers, "Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
        except OSError as error:
            raise DemoFailed(f"{method} {path}: {error}") from error
        finally:
            connection.close()
        if answer.status >= 300:
            raise DemoFailed(f"{method} {path} answered {answer.status}: {text}")
        return json.loads(text)

    def _next_steps(self) -> str:
        keys = "\n".join(f"  {name.upper()}={key}" for name, key in self.keys.items())
        post = "-H 'Content-Type: application/json' -d"
        connect = json.dumps({"api_key": "sk-or-v1-..." if self.openrouter_key else _made_up_key()})
        execution = json.dumps({"resource_id": self._resource, "inputs": {"prompt": "Hello"}})
        return f"""
Go on from here (Ctrl-C stops it):

  API={self.url}
  RESOURCE={self._resource}
{keys}

  # execute the resource as bob, with his own OpenRouter key
  curl -s $API/api/user/integrations/openrouter -H "Authorization: Bearer $BOB" {post} '{connect}'
  curl -s $API/api/execute -H "Authorization: Bearer $BOB" {post} '{execution}'

  # download alice's image, which only she can read
  curl -sL {self._image} -H "Authorization: Bearer $ALICE" -o picture.png

  # list executions with their cost, models, and resource types
  curl -s $API/api/executions -H "Authorization: Bearer $BOB"
  curl -s "$API/api/models?q=claude&sort=price&limit=5"
  curl -s $API/api/resource-types

  # list model changes as JSON and as RSS
  curl -s "$API/api/models/changes?limit=5"
  curl -s "$API/api/models/changes?format=rss"
"""

    def _say(self, text: str) -> None:
        print(text, file=self.output, flush=True)


def _made_up_key() -> str:
    return "sk-or-v1-" + secrets.token_hex(32)
