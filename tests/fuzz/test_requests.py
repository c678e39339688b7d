"""Valid and invalid requests generated from the OpenAPI document, sent by the owner and by another user over HTTP."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from instant.domain.clock import format_time
from instant.domain.ids import new_id
from instant.domain.resources.resource import Visibility
from tests.fakes.builders import an_opening
from tests.fuzz.refined_schemas import RESOURCE_TYPE
from tests.fuzz.served import ServedApp, serve_app
from tests.integration.app import EMBEDDER, EMBEDDINGS, GOOD_KEY, ROOT, App
from tests.integration.ledgers import a_ledger
from tests.integration.local.test_example_events import event_of, learn
from tests.integration.media import image_id, paint

EXAMPLES = int(os.environ.get("EXAMPLES") or 15)
"""Generated requests for each operation in each phase."""

SEED = os.environ.get("SEED") or "20261122"
SETTINGS = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.fuzz
def test_generated_requests_do_not_violate_any_check(tmp_path: Path) -> None:
    with serve_app() as served:
        objects = ExistingObjects.made_in(served.app)
        settings = tmp_path / "schemathesis.toml"
        settings.write_text(SETTINGS.read_text() + objects.as_toml())
        ran = schemathesis(served, settings, objects)
        print(ran.stdout, ran.stderr, *sorted(served.responses.items()), sep="\n")
        assert ran.returncode == 0
        succeeded = {(method, path) for method, path, status in served.responses if status < 400}
        assert {(route.method, route.path) for route in served.app.plan.operations} - succeeded == set()
        assert_bob_has_no_changes(served.app)


def schemathesis(served: ServedApp, settings: Path, objects: "ExistingObjects") -> "subprocess.CompletedProcess[str]":
    """Run the command line of schemathesis as alice, with hooks.py."""
    options = ["--url", served.url, "--seed", SEED, "--max-examples", str(EXAMPLES), "--no-color"]
    program = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings)]
    keys = {user.upper(): key for user, key in served.keys.items()}
    paths = os.pathsep.join([str(ROOT), str(ROOT / "layers/core")])
    return subprocess.run(
        [*program, "run", *options, f"{served.url}/api/openapi.json"],
        cwd=ROOT,
        env={**os.environ, **keys, "PYTHONPATH": paths, "EXISTING_IDS": json.dumps(objects.by_placeholder())},
        capture_output=True,
        text=True,
        check=False,
    )


def assert_bob_has_no_changes(app: App) -> None:
    """Assert that the requests of bob have created and deleted nothing."""
    assert app.call("GET", "/api/resources", user="bob").json["data"] == []
    assert app.call("GET", "/api/user/integrations/openrouter", user="bob").json["is_enabled"]


@dataclass(frozen=True)
class ExistingObjects:
    """The objects of alice before the first request; a generator cannot guess their ids."""

    resources: list[dict[str, Any]]
    embedder: dict[str, Any]
    execution_id: str
    stream_id: str
    image_id: str
    consent: dict[str, str]

    @classmethod
    def made_in(cls, app: App) -> "ExistingObjects":
        """Create four resources of each visibility, an execution with an image, and a stream; sync the catalog."""
        model = event_of("model_endpoints/show", {})["pathParameters"]
        config = {"model": f"{model['author']}/{model['slug']}"}
        resources = [app.resource(config=config, visibility=v) for v in Visibility for _ in range(4)]
        embedder = app.resource(resource_type=EMBEDDINGS, name="Embedder", config={"model": EMBEDDER})
        app.sync()
        painted = paint(app).json
        consent: dict[str, str] = {}
        learn(app.invoke("IntegrationsFunction", event_of("integrations/connect", {}))["body"], consent)
        image = image_id(painted["output"]["urls"][0])
        return cls(resources, embedder, painted["execution_id"], _stream(app), image, consent)

    def by_placeholder(self) -> dict[str, str]:
        """The ids and the consent, by their placeholders in the example events."""
        ids = (self.resources[-1]["resource_id"], self.execution_id, self.image_id)
        return {f"{each.partition('_')[0]}_{'0' * 26}": each for each in ids} | self.consent

    def as_toml(self) -> str:
        """Dictionaries of schemathesis in TOML: values for parameters and body fields."""
        values = {
            "path.image_id": [self.image_id],
            "path.execution_id": [self.execution_id],
            "path.service": ["openrouter"],
            "body.api_key": [GOOD_KEY],
            "body.config.model": [self.resources[0]["ai_model_id"]],
            "body.inputs.prompt": ["Say hello.", "[[fake: error 400]]", "[[fake: reset]]"],
            "body.resource_id": [resource["resource_id"] for resource in self.resources],
            "body.resource": [resource["address"] for resource in self.resources],
            "body.model": [
                each[name] for each in (*self.resources, self.embedder) for name in ("resource_id", "address")
            ],
            "body.resource_type": [RESOURCE_TYPE.name],
        }
        known = "".join(_dictionary(number, place, each) for number, (place, each) in enumerate(values.items()))
        cancel = "/api/executions/{execution_id}/cancel"
        fixed = f'parameters."path.execution_id" = {json.dumps(self.stream_id)}'
        return f'{known}\n[[operations]]\ninclude-path = "{cancel}"\n{fixed}\n'


def _stream(app: App) -> str:
    """The id of a streamed execution that can be cancelled; its lease has expired, so that nobody waits for its end."""
    began = datetime.now(UTC) - timedelta(hours=1)
    times = dict.fromkeys(("created_at", "lease_expires_at"), format_time(began))
    opening, ledger = an_opening(new_id("exe", began), streamed=True, **times), a_ledger(app)
    ledger.open(opening)
    ledger.mark_sent(opening)
    return opening.execution_id


def _dictionary(number: int, place: str, values: Iterable[str]) -> str:
    binding = f'[parameters."{place}"]\ndictionary = "known{number}"\nprobability = 0.8\n'
    return f"\n[dictionaries.known{number}]\nvalues = {json.dumps(list(values))}\n{binding}"
