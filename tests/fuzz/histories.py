"""Histories of two users, drawn at random and told to an app and to a world of dictionaries at once."""

import time
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from instant.domain.access.identity import handle_of
from instant.domain.clock import parse_time
from instant.use_cases.catalog.fetch import SyncRefused
from tests.fakes.openrouter import Arrival
from tests.fuzz.disturbances import Disturbance, disturbances, disturbed, troubles
from tests.fuzz.inspection import facts_of, inspect, inspect_resource, integration_of, own_resources, rows_of_runs
from tests.fuzz.world import LOSSES_ALLOWED_PERCENT, MODELS, USERS, IntegrationState, Made, Run, World
from tests.integration.app import Answer, App

users = st.sampled_from(USERS)
picks = st.integers(0, 7)
visibilities = st.sampled_from(["private", "unlisted", "public"])
slugs = st.sampled_from(["one", "two", "three"])
models = st.sampled_from(MODELS)
some_models = st.sets(models, max_size=2)
keys = st.sampled_from([f"sk-or-v1-{digit * 64}" for digit in "abcdef"])
outcomes = st.one_of(
    st.integers(1, 10**7),
    st.sampled_from(["error 400", "error 500", "reset", "no-cost"]),
)
bad_books = troubles("PutItem", "UpdateItem+1", "TransactWriteItems")
"""What fails when an execution is opened, sent, closed."""

ENDED = "2026-01-31"
"""The announced end of every model here: one that is no longer listed is retired at once."""

AS_ANNOUNCED = {
    "error 400": (502, "FAILED", 0),
    "error 500": (502, "FAILED", 0),
    "reset": (504, "UNKNOWN", None),
    "no-cost": (200, "DONE", None),
}
"""Status, state and cost of an execution whose prompt asks for this."""


class Histories(RuleBasedStateMachine):
    """One history; a rule that meets a fault may end either way, and then reading decides which."""

    app: ClassVar[App]

    def __init__(self) -> None:
        """An empty app with a small catalog."""
        super().__init__()
        self.app.empty()
        rows = [row for row in self.app.fake.catalog if row["id"] in MODELS]
        self.catalog = {row["id"]: {**row, "expiration_date": ENDED} for row in rows}
        self.app.fake.catalog = list(self.catalog.values())
        self.app.sync()
        self.world = World()
        self.may_be_busy = False

    @initialize(shared=visibilities, key=keys)
    def move_in(self, shared: str, key: str) -> None:
        """Both users can execute something from the start; whatever follows may take that away."""
        for user, visibility in (("alice", shared), ("bob", "private")):
            self.connect(user, key, None)
            self.create(user, None, visibility, MODELS[0], None)

    def teardown(self) -> None:
        """Whatever happened, everything that can be read is as it ought to be."""
        for user in USERS:
            inspect(self.app, self.world, user)

    def call(
        self, fault: Disturbance | None, user: str, method: str, path: str, body: Any = None, **more: Any
    ) -> Answer:
        with disturbed(fault):
            return self.app.call(method, path, body, user=user, **more)

    def went_wrong(self, answer: Answer, fault: Disturbance | None, expected: int | str) -> bool:
        """False if the answer is the one expected; true if a fault explains another; a failure otherwise."""
        told = answer.code if isinstance(expected, str) and answer.status >= 400 else answer.status
        if told == expected:
            return False
        assert fault is not None, f"{told} instead of {expected}: {answer.text}"
        is_ours = answer.status == 500 or answer.code == "limits_unavailable"
        assert is_ours, f"{told} instead of {expected}: {answer.text}"
        return True

    def picked(self, pick: int) -> Made:
        resources = [*self.world.resources.values()]
        return resources[pick % len(resources)]

    # ------------------------------------------------------------- resources

    @rule(user=users, slug=slugs | st.none(), visibility=visibilities, model=models,
          fault=disturbances("TransactWriteItems", "GetItem"))  # fmt: skip
    def create(self, user: str, slug: str | None, visibility: str, model: str, fault: Disturbance | None) -> None:
        body: dict[str, Any] = {"resource_type": "openrouter_instant", "name": "Haiku", "visibility": visibility}
        body |= {"config": {"model": model}, **({"slug": slug} if slug else {})}
        answer = self.call(fault, user, "POST", "/api/resources", body)
        if not self.world.models[model]:
            self.went_wrong(answer, fault, 422)
        elif slug and self.world.is_taken(user, slug):
            self.went_wrong(answer, fault, "address_taken")
        elif self.went_wrong(answer, fault, 201):
            self.adopt_new_resource(user)
        else:
            self.world.resources[answer.json["resource_id"]] = facts_of(answer.json)
            assert facts_of(answer.json) == Made(
                answer.json["resource_id"], user, "Haiku", slug or answer.json["slug"], visibility, model
            )

    def adopt_new_resource(self, user: str) -> None:
        """A creation that failed may have been carried out, once."""
        new = [row for row in own_resources(self.app, user) if row["resource_id"] not in self.world.resources]
        assert len(new) <= 1
        self.world.resources |= {row["resource_id"]: facts_of(row) for row in new}

    @precondition(lambda self: self.world.resources)
    @rule(user=users, pick=picks, changes=st.fixed_dictionaries({}, optional={
        "name": st.sampled_from(["Haiku", "Sonnet"]), "slug": slugs, "visibility": visibilities,
        "config": st.builds(lambda model: {"model": model}, models)}),
        behind=st.sampled_from([None, 0, 1]), fault=disturbances("TransactWriteItems", "GetItem"))  # fmt: skip
    def change(
        self, user: str, pick: int, changes: dict[str, Any], behind: int | None, fault: Disturbance | None
    ) -> None:
        made = self.picked(pick)
        headers = {} if behind is None else {"If-Match": f'"{made.revision - behind}"'}
        answer = self.call(fault, user, "PATCH", f"/api/resources/{made.resource_id}", changes, headers=headers)
        model = changes.get("config", {}).get("model")
        if user != made.owner:
            self.went_wrong(answer, fault, "not_found")
        elif behind:
            self.went_wrong(answer, fault, "revision_conflict")
        elif model and not self.world.models[model]:
            self.went_wrong(answer, fault, 422)
        elif "slug" in changes and self.world.is_taken(user, changes["slug"], but=made.resource_id):
            self.went_wrong(answer, fault, "address_taken")
        else:
            new = {name: value for name, value in changes.items() if name != "config"}
            new |= {"revision": made.revision + 1, "model": model or made.model}
            self.went_wrong(answer, fault, 200)
            told = facts_of(self.app.call("GET", f"/api/resources/{made.resource_id}", user=user).json)
            if answer.status == 200 or told != made:
                vars(made).update(new)
            assert told == made

    @precondition(lambda self: self.world.resources)
    @rule(user=users, pick=picks, fault=disturbances("TransactWriteItems", "GetItem"))
    def delete(self, user: str, pick: int, fault: Disturbance | None) -> None:
        made = self.picked(pick)
        path = f"/api/resources/{made.resource_id}"
        answer = self.call(fault, user, "DELETE", path)
        if user != made.owner:
            self.went_wrong(answer, fault, "not_found")
        elif not self.went_wrong(answer, fault, 204) or self.app.call("GET", path, user=user).status == 404:
            del self.world.resources[made.resource_id]
        inspect_resource(self.app, self.world, user, made.resource_id)

    # ----------------------------------------------------------- connections

    @rule(user=users, key=keys, fault=disturbances("PutItem", "Encrypt", "GetItem"))
    def connect(self, user: str, key: str, fault: Disturbance | None) -> None:
        answer = self.call(fault, user, "POST", "/api/user/integrations/openrouter", {"api_key": key})
        if key in self.app.fake.revoked_keys:
            self.went_wrong(answer, fault, "credential_rejected")
        elif not self.went_wrong(answer, fault, 201) or integration_of(self.app, user) == (key[-4:], True, False):
            self.world.integrations[user] = IntegrationState(key)

    @rule(user=users, on=st.booleans(), fault=disturbances("UpdateItem"))
    def switch(self, user: str, on: bool, fault: Disturbance | None) -> None:
        answer = self.call(fault, user, "PATCH", "/api/user/integrations/openrouter", {"is_enabled": on})
        if user not in self.world.integrations:
            self.went_wrong(answer, fault, "not_found")
        else:
            self.went_wrong(answer, fault, 200)
            told = integration_of(self.app, user)
            assert told is not None
            assert answer.status != 200 or told[1] is on
            self.world.integrations[user].is_enabled = told[1]

    @rule(user=users, fault=disturbances("DeleteItem", "GetItem"))
    def disconnect(self, user: str, fault: Disturbance | None) -> None:
        answer = self.call(fault, user, "DELETE", "/api/user/integrations/openrouter")
        if user not in self.world.integrations:
            self.went_wrong(answer, fault, "not_found")
        elif not self.went_wrong(answer, fault, 204) or integration_of(self.app, user) is None:
            del self.world.integrations[user]

    @rule(key=keys)
    def openrouter_revokes(self, key: str) -> None:
        self.app.fake.revoked_keys.add(key)

    # ------------------------------------------------------------- execution

    @precondition(lambda self: self.world.resources)
    @rule(user=users, pick=picks, outcome=outcomes, by_address=st.booleans(), fault=disturbances(
        "PutItem", "UpdateItem", "UpdateItem+1", "UpdateItem+2", "UpdateItem+3", "TransactWriteItems",
        "DeleteItem", "GetItem", "BatchGetItem", "Decrypt"))  # fmt: skip
    def execute(self, user: str, pick: int, outcome: int | str, by_address: bool, fault: Disturbance | None) -> None:
        self.run(user, self.picked(pick), outcome, fault, by_address=by_address)

    @precondition(lambda self: bool(self.world.able()))
    @rule(pick=picks, calls=st.lists(st.tuples(outcomes, st.none() | bad_books), min_size=1, max_size=3))
    def execute_in_turn(self, pick: int, calls: list[tuple[int | str, Disturbance | None]]) -> None:
        """What can be done is done more often than what is refused, and each step of the ledger fails often."""
        for outcome, fault in calls:
            if able := self.world.able():
                self.run(*able[pick % len(able)], outcome, fault)

    def run(
        self, user: str, made: Made, outcome: int | str, fault: Disturbance | None, by_address: bool = False
    ) -> None:
        """One execution, booked in the world as it went."""
        wish = f"price {outcome / 10**9:.9f}" if isinstance(outcome, int) else outcome
        address = f"{handle_of(f'user_{made.owner}')}/{made.slug}"
        named = {"resource": address} if by_address else {"resource_id": made.resource_id}
        sent_before = len(self.app.fake.chat_requests)
        answer = self.call(
            fault, user, "POST", "/api/execute", {**named, "inputs": {"prompt": f"Hello [[fake: {wish}]]"}}
        )
        new = {name: row for name, row in rows_of_runs(self.app).items() if name not in self.world.runs}
        sent = self.app.fake.chat_requests[sent_before:]
        refused = self.world.why_not(user, made)
        if refused:
            assert (new, sent) == ({}, [])
            self.went_wrong(answer, fault, refused)
        else:
            self.book(user, made, outcome, answer, fault, new, sent)

    def book(self, user: str, made: Made, outcome: int | str, answer: Answer, fault: Disturbance | None,
             new: dict[str, Any], sent: list[Arrival]) -> None:  # fmt: skip
        """What was sent is answered as ever, whatever becomes of the books, and has a row that was SENT before."""
        integration = self.world.integrations[user]
        status, state, cost = (200, "DONE", outcome) if isinstance(outcome, int) else AS_ANNOUNCED[outcome]
        if integration.key in self.app.fake.revoked_keys:
            status, state, cost = 409, "FAILED", 0
        if not sent:
            assert self.went_wrong(answer, fault, status)
            assert not new or (fault and fault.operation == "PutItem"), "an entry was not taken back"
            assert {row["state"]["S"] for row in new.values()} <= {"SENT"}
            self.world.runs |= {name: Run(user, made.resource_id, row["state"]["S"], None) for name, row in new.items()}
            return
        assert answer.status == status
        ((name, row),) = new.items()
        (arrival,) = sent
        assert parse_time(row["created_at"]["S"]).timestamp() < arrival.at + time.time() - time.monotonic()
        is_closed = row["state"]["S"] != "SENT"
        assert is_closed or fault
        self.world.runs[name] = Run(user, made.resource_id, *((state, cost) if is_closed else ("SENT", None)))
        if status == 409:
            told = integration_of(self.app, user)
            assert told is not None
            integration.is_broken = told[2]
            assert told[2] or fault

    # -------------------------------------------------------------- api keys

    @rule(user=users, fault=disturbances("PutItem", "PutItem+1"))
    def make_key(self, user: str, fault: Disturbance | None) -> None:
        answer = self.call(fault, user, "POST", "/api/user/api-keys", {"name": "laptop", "scopes": ["execute"]})
        listed = self.app.call("GET", "/api/user/api-keys", user=user).json["data"]
        new = {row["key_id"] for row in listed} - self.world.api_keys.keys()
        if self.went_wrong(answer, fault, 201):
            assert len(new) <= 1
        else:
            assert new == {answer.json["key_id"]}
        self.world.api_keys |= dict.fromkeys(new, user)

    @precondition(lambda self: self.world.api_keys)
    @rule(user=users, pick=picks, fault=disturbances("UpdateItem", "GetItem"))
    def revoke_key(self, user: str, pick: int, fault: Disturbance | None) -> None:
        made = [*self.world.api_keys]
        key = made[pick % len(made)]
        answer = self.call(fault, user, "DELETE", f"/api/user/api-keys/{key}")
        if user != self.world.api_keys[key]:
            self.went_wrong(answer, fault, "not_found")
        elif not self.went_wrong(answer, fault, 204) or self.is_revoked(user, key):
            self.world.revoked.add(key)

    def is_revoked(self, user: str, key: str) -> bool:
        listed = self.app.call("GET", "/api/user/api-keys", user=user).json["data"]
        return any(row["revoked_at"] for row in listed if row["key_id"] == key)

    # --------------------------------------------------------------- catalog

    @rule(
        gone=some_models,
        accept_losses=st.booleans(),
        fault=disturbances("Scan", "BatchWriteItem", "PutItem", "UpdateItem"),
    )
    def sync(self, gone: set[str], accept_losses: bool, fault: Disturbance | None) -> None:
        self.app.fake.catalog = [row for name, row in self.catalog.items() if name not in gone]
        active = {name for name, is_active in self.world.models.items() if is_active}
        is_refused = not accept_losses and len(active & gone) * 100 > LOSSES_ALLOWED_PERCENT * len(active)
        self.may_be_busy |= fault is not None
        try:
            with disturbed(fault):
                result = self.app.sync(accept_losses=accept_losses)
            if result["outcome"] == "busy":
                assert self.may_be_busy
                return
            assert not is_refused
            self.world.models = {name: name not in gone for name in MODELS}
        except SyncRefused:
            assert is_refused
        except Exception:
            assert fault
            self.adopt_models(gone, is_refused)
        finally:
            self.app.fake.catalog = list(self.catalog.values())  # what is not listed for a while is served all the same

    def adopt_models(self, gone: set[str], is_refused: bool) -> None:
        """A sync that failed has written some of its rows, or none."""
        rows = self.app.table("MODELS_TABLE")
        found = {row["openrouter_id"]["S"]: row["is_active"].get("BOOL", row["is_active"].get("N")) for row in rows}
        for name, is_active in self.world.models.items():
            assert found[name] in ({is_active} if is_refused else {is_active, name not in gone})
        self.world.models = found

    # --------------------------------------------------------------- reading

    @rule(user=users)
    def read_everything(self, user: str) -> None:
        inspect(self.app, self.world, user)
