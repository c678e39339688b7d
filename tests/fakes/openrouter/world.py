"""The state of a running fake, shared by its request threads."""

import threading
from dataclasses import dataclass, field

from tests.fakes.openrouter.api.accounts import Accounts
from tests.fakes.openrouter.api.consent import Consent
from tests.fakes.openrouter.api.generations import Generations
from tests.fakes.openrouter.catalog import default_catalog
from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.journal import Journal
from tests.fakes.openrouter.script import Script, ScriptQueue
from tests.fakes.openrouter.streams.holds import StreamHold


@dataclass
class World:
    """The state of one FakeOpenRouter."""

    catalog: list[Json] = field(default_factory=default_catalog)
    catalog_script: Script | None = None
    key_script: Script | None = None
    queue: ScriptQueue = field(default_factory=ScriptQueue)
    accounts: Accounts = field(default_factory=Accounts)
    consent: Consent = field(default_factory=Consent)
    generations: Generations = field(default_factory=Generations)
    holds: list[StreamHold] = field(default_factory=list)
    journal: Journal = field(default_factory=Journal)
    stopping: threading.Event = field(default_factory=threading.Event)

    def take_holds(self) -> list[StreamHold]:
        """Return and remove the holds of the next stream."""
        taken, self.holds = self.holds, []
        return taken
