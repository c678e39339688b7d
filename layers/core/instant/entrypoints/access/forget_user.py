"""Erase everything that is stored of a user: `make forget-user STACK=… USER=… SURE=yes`."""

import argparse
import sys
from collections.abc import Mapping, Sequence

from instant.adapters.access.expiring_keys import ExpiringApiKeyStore
from instant.adapters.access.user_rows import UserRows, UserRowsStore
from instant.adapters.clock import SystemClock
from instant.adapters.resources.store import DynamoResourceStore, ResourceTables
from instant.domain.clock import format_time
from instant.entrypoints.access.user_arguments import opened, parser

_DAYS_KEPT = 97


def main(arguments: Sequence[str] | None = None) -> int:
    """Stop the user, then erase; returns 1 if executions are still open, or the stack cannot be used.

    Without `--sure` it only prints what would be erased.
    """
    chosen = _parser().parse_args(arguments)
    found = opened(chosen.stack)
    if found is None:
        return 1
    store, names = found
    rows = store.of(chosen.user)
    if not chosen.sure:
        sys.stdout.write(f"{_summary(rows)}\nNothing was erased. Add SURE=yes to erase it.\n")
        return 0
    _stop(chosen.user, rows, store, names)
    if waiting := store.open_executions(chosen.user, rows):
        sys.stderr.write(
            f"The user's keys are revoked and the resources deleted, but {len(waiting)} executions are open. "
            f"Run this again when they have ended, at the latest in 24 hours.\n"
        )
        return 1
    rows = store.of(chosen.user)
    store.erase(rows)
    sys.stdout.write(f"{_summary(rows)}\nErased.\n")
    return 0


def _stop(user_id: str, rows: UserRows, store: UserRowsStore, names: Mapping[str, str]) -> None:
    """Revoke the user's API keys, delete the keys for integrations, and delete the resources: nothing new begins."""
    now = format_time(SystemClock().now())
    keys = ExpiringApiKeyStore(names["ApiKeysTable"], names["LimitsTable"], days_kept=_DAYS_KEPT)
    for key_id in rows.values("ApiKeysTable", "key_id"):
        if (key := keys.find(key_id)) and key.revoked_at is None:
            keys.revoke(key, now)
    store.erase(UserRows(rows=rows.rows), ["IntegrationsTable"])
    tables = ResourceTables(
        resources=names["ResourcesTable"], stats=names["ResourceStatsTable"], limits=names["LimitsTable"]
    )
    resources = DynamoResourceStore(tables, days_kept=_DAYS_KEPT, max_per_user=1)
    for resource_id in rows.values("ResourcesTable", "resource_id"):
        resource = resources.get(resource_id)
        if resource and resource.owner_id == user_id:
            resources.delete(resource, now)


def _summary(rows: UserRows) -> str:
    counts = {**{table: len(found) for table, found in rows.rows.items()}, "MediaBucket": len(rows.objects)}
    return "\n".join(f"{count:>8} {name}" for name, count in sorted(counts.items()))


def _parser() -> argparse.ArgumentParser:
    made = parser("forget-user", __doc__)
    made.add_argument("--sure", action="store_true", help="erase, instead of printing what would be erased")
    return made


if __name__ == "__main__":
    sys.exit(main())
