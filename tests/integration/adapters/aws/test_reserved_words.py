"""Expressions contain no reserved word of DynamoDB, which AWS rejects and the simulation may accept."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from instant.adapters.access.expiring_keys import ExpiringApiKeyStore
from instant.adapters.access.rate_limiter import DynamoRateLimiter
from instant.adapters.catalog.sync_lease import DynamoSyncLease
from instant.adapters.catalog.sync_runs import DynamoSyncRuns
from instant.adapters.executions.cancellations import DynamoCancellations
from instant.adapters.executions.history import DynamoExecutionHistory
from instant.adapters.executions.open_runs import DynamoOpenRuns
from instant.adapters.executions.retry_pointers import DynamoRetryPointers
from instant.adapters.resources.expiry import ExpiringRows
from instant.adapters.resources.stats import DynamoStatsStore
from instant.adapters.usage.budgets import DynamoBudgetStore
from instant.adapters.usage.report import DynamoUsageStore
from instant.domain.access.identity import Identity, Scope
from instant.domain.catalog.model import SyncRecord
from instant.domain.catalog.sync_run import SyncOrder, SyncResult, SyncRun
from instant.domain.executions.execution import State, StoredAnswer
from instant.domain.limits import Rate
from instant.domain.page import PageRequest
from instant.domain.usage.budget import Budget, BudgetScope, Subject, holds
from instant.ports.executions.retry_pointers import RetryPointer
from instant.use_cases.access.api_keys import KeyRequest, create_key, revoke_with_descendants
from tests.architecture.project import CORE
from tests.fakes.builders import a_closing, an_opening
from tests.fakes.clock import START, FakeClock
from tests.integration.app import App
from tests.integration.aws_calls import AwsCall, recorded
from tests.integration.ledgers import a_ledger

RESERVED = set(ReservedKeywords.get_reserved_keywords())
SYNTAX = {"ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "REMOVE", "SET"}
ADAPTERS = CORE / "adapters"
RAW = {
    "resources/expiry.py",
    "usage/budget_rows.py",
    "usage/budgets.py",
    "executions/cancellations.py",
    "executions/history.py",
    "executions/ledger_counts.py",
    "executions/open_runs.py",
    "executions/retry_pointers.py",
    "executions/ledger.py",
    "access/rate_limiter.py",
    "access/api_keys.py",
    "access/expiring_keys.py",
    "access/live_keys.py",
    "access/user_rows.py",
    "resources/stats.py",
    "catalog/sync_lease.py",
    "catalog/sync_runs.py",
    "usage/report.py",
}
"""The adapters that write expressions by hand; pynamodb gives every name an alias."""

SENT_AT = "2026-11-22T12:00:00.100000Z"


def bare_names(expression: str) -> set[str]:
    """Return the attribute names without an alias; skip operators, in capitals, and functions, with brackets."""
    return set(re.findall(r"(?<![#:\w])[A-Za-z_]\w*(?![\w(])", expression)) - SYNTAX


def expressions(calls: list[AwsCall]) -> Iterator[str]:
    """Return every expression in the calls, including those in transactions."""
    for call in calls:
        writes = [one for write in call.parameters.get("TransactItems", []) for one in write.values()]
        for parameters in (call.parameters, *writes):
            yield from (value for name, value in parameters.items() if name.endswith("Expression"))


@pytest.fixture
def written(cloud: App, fresh: Callable[[str], str]) -> list[str]:
    """Return every expression that is written by hand in the adapters."""
    executions, stats = cloud.name("EXECUTIONS_TABLE"), cloud.name("RESOURCE_STATS_TABLE")
    ledger = a_ledger(cloud)
    held = holds([Budget(subject=Subject(BudgetScope.USER, fresh("user")), daily_nanousd=10**9)], START, 0)
    done, lost, released, expired, killed = (
        an_opening(fresh("exe"), resource_id=fresh("res"), holds=held, fingerprint="f", api_key_id="key_1")
        for _ in range(5)
    )
    everything = StoredAnswer(text="{}", object_key="media/1")
    with recorded("dynamodb") as calls:
        for opening in (done, lost, released, expired, killed):
            ledger.open(opening)
        for opening in (done, lost, killed):
            ledger.mark_sent(opening)
            ledger.record_generation_id(opening, "gen-1")
            ledger.reschedule(opening, SENT_AT)
        ledger.release(released)
        ledger.renew(expired, expired.lease_expires_at)
        assert ledger.reclaim(expired.execution_id, "2030")
        ledger.close(done, a_closing(State.DONE, answer=everything, error_code="none", computed_nanousd=1))
        ledger.mark_unknown(lost, a_closing(State.UNKNOWN), SENT_AT)
        ledger.expire(killed, a_closing(State.UNKNOWN), SENT_AT)
        DynamoCancellations(executions).request(killed.execution_id, killed.user_id, SENT_AT)
        list(DynamoOpenRuns(executions).due("2030"))
        DynamoExecutionHistory(executions).of_user("user_alice", PageRequest(1))
        DynamoExecutionHistory(executions).since("user_alice", SENT_AT, PageRequest(1))
        list(DynamoUsageStore(cloud.name("USAGE_TABLE")).of_user("user_alice", START.date(), START.date()))
        DynamoStatsStore(stats).of(done.resource_id, START)
        ExpiringRows(stats, cloud.name("LIMITS_TABLE")).expire_totals(done.resource_id, 1)
        own, budgets = Subject(BudgetScope.USER, fresh("user")), DynamoBudgetStore(cloud.name("LIMITS_TABLE"))
        for cap in (1, None):
            budgets.put(own.subject_id, Budget(subject=own, daily_nanousd=cap))
        lease = DynamoSyncLease(cloud.name("LIMITS_TABLE"))
        assert lease.take("syn_1", START, START)
        lease.finish("syn_1", SyncRecord(synced_at="now", read_at="now", validator="one"))
        lease.drop("syn_1")
        run = SyncRun(run_id="syn_1", started_at="now", finished_at="now", order=SyncOrder(), result=SyncResult())
        DynamoSyncRuns(cloud.name("LIMITS_TABLE")).add(run)
        keys = ExpiringApiKeyStore(cloud.name("API_KEYS_TABLE"), cloud.name("LIMITS_TABLE"), days_kept=10)
        maker = Identity(fresh("user"), frozenset(Scope))
        wanted = KeyRequest(name="k", scopes=frozenset({Scope.READ}))
        _, parent = create_key(wanted, maker, keys, FakeClock(), most=2)
        create_key(wanted, replace(maker, key_id=parent.key_id), keys, FakeClock(), most=2)
        revoke_with_descendants(parent.key_id, maker, keys, FakeClock(), lambda: 30.0)
    limiter = DynamoRateLimiter(cloud.name("LIMITS_TABLE"), FakeClock())
    with recorded("dynamodb", short_timeout=True) as counted:
        pointers = DynamoRetryPointers(cloud.name("LIMITS_TABLE"))
        pointer = RetryPointer(key="key", received_at=1, by_retry=False)
        pointers.begin("one", pointer)
        pointers.join("one", pointer, since=0)
        pointers.forget("one", "key")
        limiter.hit("alice", fresh("x"), Rate(1, 1))
        limiter.release("alice", limiter.acquire("alice", Rate(1, 1), 1, 1))
    return list(expressions(calls + counted))


def test_expressions_do_not_use_reserved_words(written: list[str]) -> None:
    assert len(written) >= 28
    wrong = {name: text for text in written for name in bare_names(text) if name.upper() in RESERVED}
    assert wrong == {}


def test_bare_names_returns_unaliased_attributes() -> None:
    assert len(RESERVED) > 500
    assert bare_names("SET #state = :now, bucket = :state ADD calls :one") == {"bucket", "calls"}
    assert bare_names("attribute_not_exists(state) OR #a = :b") == {"state"}
    assert {"STATE", "BUCKET", "PROVIDER"} & RESERVED == {"STATE", "BUCKET"}


def test_other_adapters_do_not_write_expressions() -> None:
    found = {
        str(path.relative_to(ADAPTERS))
        for path in ADAPTERS.rglob("*.py")
        if re.search(r"Expression\b\"?[=:]", path.read_text())
    }
    assert found == RAW
