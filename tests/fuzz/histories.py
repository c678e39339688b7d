"""Random histories of two users, executed on the app and on a model of plain dictionaries."""

import time
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from instant.domain.access.identity import handle_of
from instant.domain.clock import parse_time
from instant.domain.executions.counted import counts
from instant.use_cases.catalog.fetch import SyncRefused
from tests.fakes.openrouter import Arrival
from tests.fuzz.fault_plans import FaultPlan, faults_in, injected, optional_faults_in
from tests.fuzz.inspection import (
    ALL_KEYS,
    facts_of,
    inspect,
    inspect_resource,
    integration_of,
    own_resources,
    rows_of_runs,
)
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
ledger_faults = faults_in("PutItem", "UpdateItem+1", "TransactWriteItems")
"""Faults while an execution is opened, sent or closed."""

ENDED = "2026-01-31"
"""The expiration date of every model here: a model that is no longer listed is retired immediately."""

AS_ANNOUNCED = {
    "error 400": (502, "FAILED", 0),
    "error 500": (502, "FAILED", 0),
    "reset": (504, "UNKNOWN", None),
    "no-cost": (200, "DONE", None),
}
"""Status, state and cost of an execution by the outcome that its prompt requests."""


class Histories(RuleBasedStateMachine):
    """One history; after a fault, the rule reads the state to find out whether the operation was carried out."""

    app: ClassVar[App]

    def __init__(self) -> None:
        """Empty the app and sync a small catalog."""
        super().__init__()
        self.app.empty()
        rows = [row for row in self.app.fake.catalog if row["id"] in MODELS]
        self.catalog = {row["id"]: {**row, "expiration_date": ENDED} for row in rows}
        self.app.fake.catalog = list(self.catalog.values())
        self.app.sync()
        self.world = World()
        self.may_be_busy = False

    @initialize(shared=visibilities, key=keys)
    def set_up_users(self, shared: str, key: str) -> None:
        """Give both users a key and a resource that they can execute."""
        for user, visibility in (("alice", shared), ("bob", "private")):
            self.connect(user, key, None)
            self.create(user, None, visibility, MODELS[0], None)

    def teardown(self) -> None:
        """Compare everything that the users can read with the model."""
        for user in USERS:
            inspect(self.app, self.world, user)

    def call(self, fault: FaultPlan | None, user: str, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        with injected(fault):
            return self.app.call(method, path, body, user=user, **more)

    def failed_by_fault(self, answer: Answer, fault: FaultPlan | None, expected: int | str) -> bool:
        """False if the response is as expected, True if the fault explains an error; fails otherwise."""
        found = answer.code if isinstance(expected, str) and answer.status >= 400 else answer.status
        if found == expected:
            return False
        assert fault is not None, f"{found} instead of {expected}: {answer.text}"
        explained = answer.status == 500 or answer.code in {"limits_unavailable", "upstream_unavailable"}
        assert explained, f"{found} instead of {expected}: {answer.text}"
        return True

    def picked(self, pick: int) -> Made:
        resources = [*self.world.resources.values()]
        return resources[pick % len(resources)]

    # ------------------------------------------------------------- resources

    @rule(user=users, slug=slugs | st.none(), visibility=visibilities, model=models,
          fault=optional_faults_in("TransactWriteItems", "GetItem"))  # fmt: skip
    def create(self, user: str, slug: str | None, visibility: str, model: str, fault: FaultPlan | None) -> None:
        body: dict[str, Any] = {"resource_type": "openrouter_instant", "name": "Haiku", "visibility": visibility}
        body |= {"config": {"model": model}, **({"slug": slug} if slug else {})}
        answer = self.call(fault, user, "POST", "/api/resources", body)
        if not self.world.models[model]:
            self.failed_by_fault(answer, fault, 422)
        elif slug and self.world.is_taken(user, slug):
            self.failed_by_fault(answer, fault, "address_taken")
        elif self.failed_by_fault(answer, fault, 201):
            self.adopt_new_resource(user)
        else:
            self.world.resources[answer.json["resource_id"]] = facts_of(answer.json)
            assert facts_of(answer.json) == Made(
                answer.json["resource_id"], user, "Haiku", slug or answer.json["slug"], visibility, model
            )

    def adopt_new_resource(self, user: str) -> None:
        """Add the resource if a creation that failed was carried out, at most once."""
        new = [row for row in own_resources(self.app, user) if row["resource_id"] not in self.world.resources]
        assert len(new) <= 1
        self.world.resources |= {row["resource_id"]: facts_of(row) for row in new}

    @precondition(lambda self: self.world.resources)
    @rule(user=users, pick=picks, changes=st.fixed_dictionaries({}, optional={
        "name": st.sampled_from(["Haiku", "Sonnet"]), "slug": slugs, "visibility": visibilities,
        "config": st.builds(lambda model: {"model": model}, models)}),
        behind=st.sampled_from([None, 0, 1]), fault=optional_faults_in("TransactWriteItems", "GetItem"))  # fmt: skip
    def change(
        self, user: str, pick: int, changes: dict[str, Any], behind: int | None, fault: FaultPlan | None
    ) -> None:
        made = self.picked(pick)
        headers = {} if behind is None else {"If-Match": f'"{made.revision - behind}"'}
        answer = self.call(fault, user, "PATCH", f"/api/resources/{made.resource_id}", changes, headers=headers)
        model = changes.get("config", {}).get("model")
        if user != made.owner:
            self.failed_by_fault(answer, fault, "not_found")
        elif behind:
            self.failed_by_fault(answer, fault, "revision_conflict")
        elif model and not self.world.models[model]:
            self.failed_by_fault(answer, fault, 422)
        elif "slug" in changes and self.world.is_taken(user, changes["slug"], but=made.resource_id):
            self.failed_by_fault(answer, fault, "address_taken")
        else:
            new = {name: value for name, value in changes.items() if name != "config"}
            new |= {"revision": made.revision + 1, "model": model or made.model}
            self.failed_by_fault(answer, fault, 200)
            found = facts_of(self.app.call("GET", f"/api/resources/{made.resource_id}", user=user).json)
            if answer.status == 200 or found != made:
                vars(made).update(new)
            assert found == made

    @precondition(lambda self: self.world.resources)
    @rule(user=users, pick=picks, fault=optional_faults_in("TransactWriteItems", "GetItem"))
    def delete(self, user: str, pick: int, fault: FaultPlan | None) -> None:
        made = self.picked(pick)
        path = f"/api/resources/{made.resource_id}"
        answer = self.call(fault, user, "DELETE", path)
        if user != made.owner:
            self.failed_by_fault(answer, fault, "not_found")
        elif not self.failed_by_fault(answer, fault, 204) or self.app.call("GET", path, user=user).status == 404:
            del self.world.resources[made.resource_id]
        inspect_resource(self.app, self.world, user, made.resource_id)

    # ---------------------------------------------------------- integrations

    @rule(user=users, key=keys, fault=optional_faults_in("PutItem", "Encrypt", "GetItem"))
    def connect(self, user: str, key: str, fault: FaultPlan | None) -> None:
        answer = self.call(fault, user, "POST", "/api/user/integrations/openrouter", {"api_key": key})
        if key in self.app.fake.revoked_keys:
            self.failed_by_fault(answer, fault, "credential_rejected")
        elif not self.failed_by_fault(answer, fault, 201) or integration_of(self.app, user) == (key[-4:], True, False):
            self.world.integrations[user] = IntegrationState(key)

    @rule(user=users, on=st.booleans(), fault=optional_faults_in("UpdateItem"))
    def switch(self, user: str, on: bool, fault: FaultPlan | None) -> None:
        answer = self.call(fault, user, "PATCH", "/api/user/integrations/openrouter", {"is_enabled": on})
        if user not in self.world.integrations:
            self.failed_by_fault(answer, fault, "not_found")
        else:
            self.failed_by_fault(answer, fault, 200)
            found = integration_of(self.app, user)
            assert found is not None
            assert answer.status != 200 or found[1] is on
            self.world.integrations[user].is_enabled = found[1]

    @rule(user=users, fault=optional_faults_in("DeleteItem", "GetItem"))
    def disconnect(self, user: str, fault: FaultPlan | None) -> None:
        answer = self.call(fault, user, "DELETE", "/api/user/integrations/openrouter")
        if user not in self.world.integrations:
            self.failed_by_fault(answer, fault, "not_found")
        elif not self.failed_by_fault(answer, fault, 204) or integration_of(self.app, user) is None:
            del self.world.integrations[user]

    @rule(key=keys)
    def openrouter_revokes(self, key: str) -> None:
        self.app.fake.revoked_keys.add(key)

    # ------------------------------------------------------------- execution

    @precondition(lambda self: self.world.resources)
    @rule(user=users, pick=picks, outcome=outcomes, by_address=st.booleans(), fault=optional_faults_in(
        "PutItem", "UpdateItem", "UpdateItem+1", "UpdateItem+2", "UpdateItem+3", "TransactWriteItems",
        "DeleteItem", "GetItem", "BatchGetItem", "Decrypt"))  # fmt: skip
    def execute(self, user: str, pick: int, outcome: int | str, by_address: bool, fault: FaultPlan | None) -> None:
        self.run(user, self.picked(pick), outcome, fault, by_address=by_address)

    @precondition(lambda self: bool(self.world.executable()))
    @rule(pick=picks, calls=st.lists(st.tuples(outcomes, st.none() | ledger_faults), min_size=1, max_size=3))
    def execute_in_turn(self, pick: int, calls: list[tuple[int | str, FaultPlan | None]]) -> None:
        """Execute calls that are not rejected more often than the others, with frequent faults in the ledger."""
        for outcome, fault in calls:
            if executable := self.world.executable():
                self.run(*executable[pick % len(executable)], outcome, fault)

    def run(self, user: str, made: Made, outcome: int | str, fault: FaultPlan | None, by_address: bool = False) -> None:
        """Execute a resource and record the result in the model."""
        directive = f"price {outcome / 10**9:.9f}" if isinstance(outcome, int) else outcome
        address = f"{handle_of(f'user_{made.owner}')}/{made.slug}"
        reference = {"resource": address} if by_address else {"resource_id": made.resource_id}
        sent_before = len(self.app.fake.chat_requests)
        answer = self.call(
            fault, user, "POST", "/api/execute", {**reference, "inputs": {"prompt": f"Hello [[fake: {directive}]]"}}
        )
        new = {name: row for name, row in rows_of_runs(self.app).items() if name not in self.world.runs}
        sent = self.app.fake.chat_requests[sent_before:]
        rejection = self.world.rejection_code(user, made, by_address=by_address)
        if rejection:
            assert (new, sent) == ({}, [])
            self.failed_by_fault(answer, fault, rejection)
        else:
            self.record(user, made, outcome, answer, fault, new, sent)

    def record(self, user: str, made: Made, outcome: int | str, answer: Answer, fault: FaultPlan | None,
             new: dict[str, Any], sent: list[Arrival]) -> None:  # fmt: skip
        """Check the response and the ledger: a fault does not change the response to a request that was sent."""
        integration = self.world.integrations[user]
        status, state, cost = (200, "DONE", outcome) if isinstance(outcome, int) else AS_ANNOUNCED[outcome]
        if integration.key in self.app.fake.revoked_keys:
            status, state, cost = 409, "FAILED", 0
        if not sent:
            assert self.failed_by_fault(answer, fault, status)
            assert not new or (fault and fault.operation == "PutItem"), "an entry was not deleted"
            assert {row["state"]["S"] for row in new.values()} <= {"SENT"}
            self.world.runs |= {name: Run(user, made.resource_id, row["state"]["S"], None) for name, row in new.items()}
            return
        assert answer.status == status
        ((name, row),) = new.items()
        (arrival,) = sent
        assert parse_time(row["created_at"]["S"]).timestamp() < arrival.at + time.time() - time.monotonic()
        is_closed = row["state"]["S"] != "SENT"
        assert is_closed or fault
        counted = counts(row["error_code"]["S"] if "error_code" in row else None)
        self.world.runs[name] = Run(user, made.resource_id, *((state, cost) if is_closed else ("SENT", None)), counted)
        if status == 409:
            found = integration_of(self.app, user)
            assert found is not None
            integration.is_broken = found[2]
            assert found[2] or fault

    # -------------------------------------------------------------- api keys

    @rule(user=users, fault=optional_faults_in("PutItem", "PutItem+1"))
    def make_key(self, user: str, fault: FaultPlan | None) -> None:
        answer = self.call(fault, user, "POST", "/api/user/api-keys", {"name": "laptop", "scopes": ["execute"]})
        listed = self.app.call("GET", "/api/user/api-keys", user=user, query=ALL_KEYS).json["data"]
        new = {row["key_id"] for row in listed} - self.world.api_keys.keys()
        if self.failed_by_fault(answer, fault, 201):
            assert len(new) <= 1
            self.world.revoked |= new & {row["key_id"] for row in listed if row["revoked_at"]}
        else:
            assert new == {answer.json["key_id"]}
        self.world.api_keys |= dict.fromkeys(new, user)

    @precondition(lambda self: self.world.api_keys)
    @rule(user=users, pick=picks, fault=optional_faults_in("UpdateItem", "GetItem"))
    def revoke_key(self, user: str, pick: int, fault: FaultPlan | None) -> None:
        made = [*self.world.api_keys]
        key = made[pick % len(made)]
        answer = self.call(fault, user, "DELETE", f"/api/user/api-keys/{key}")
        if user != self.world.api_keys[key]:
            self.failed_by_fault(answer, fault, "not_found")
        elif not self.failed_by_fault(answer, fault, 204) or self.is_revoked(user, key):
            self.world.revoked.add(key)

    def is_revoked(self, user: str, key: str) -> bool:
        listed = self.app.call("GET", "/api/user/api-keys", user=user, query=ALL_KEYS).json["data"]
        return any(row["revoked_at"] for row in listed if row["key_id"] == key)

    # --------------------------------------------------------------- catalog

    @rule(
        gone=some_models,
        accept_losses=st.booleans(),
        fault=optional_faults_in("Scan", "BatchWriteItem", "PutItem", "UpdateItem"),
    )
    def sync(self, gone: set[str], accept_losses: bool, fault: FaultPlan | None) -> None:
        self.app.fake.catalog = [row for name, row in self.catalog.items() if name not in gone]
        active = {name for name, is_active in self.world.models.items() if is_active}
        is_refused = not accept_losses and len(active & gone) * 100 > LOSSES_ALLOWED_PERCENT * len(active)
        self.may_be_busy |= fault is not None
        try:
            with injected(fault):
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
            self.app.fake.catalog = list(self.catalog.values())  # models that are missing from a sync still work

    def adopt_models(self, gone: set[str], is_refused: bool) -> None:
        """Copy the rows into the model: a sync that failed has written none or some of them."""
        rows = self.app.table("MODELS_TABLE")
        found = {row["openrouter_id"]["S"]: row["is_active"].get("BOOL", row["is_active"].get("N")) for row in rows}
        for name, is_active in self.world.models.items():
            assert found[name] in ({is_active} if is_refused else {is_active, name not in gone})
        self.world.models = found

    # --------------------------------------------------------------- reading

    @rule(user=users)
    def read_everything(self, user: str) -> None:
        inspect(self.app, self.world, user)
