"""Rate limits and leases in DynamoDB: each call is counted by one conditional write, so concurrent calls are safe."""

import logging
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from secrets import token_hex
from typing import Any, override

from botocore.exceptions import BotoCoreError, ClientError

from instant.adapters.aws.client import client
from instant.domain.errors import LimitsUnavailable
from instant.domain.limits import Rate, too_many_in_flight
from instant.ports.access.rate_limiter import RateLimiter
from instant.ports.clock import Clock

DAY = 86_400
"""TTL of rows after their last use: it only removes old rows, correctness does not depend on it."""

_log = logging.getLogger(__name__)


class DynamoRateLimiter(RateLimiter):
    """Requests use a fixed window with one counter per window: a small write for every limit.

    Executions use a sliding window: each adds a ticket to two sets of one row, one for the rate and one, the lease,
    for concurrency. A ticket contains its expiry and never changes. A ticket is added only if the sets are below their
    limits; stale tickets are removed when a set is full. So one conditional write checks both limits, and adding the
    same ticket twice is idempotent. A renewed lease is a later ticket with the same token.
    """

    def __init__(self, table: str, clock: Clock) -> None:
        """Use the table of this name."""
        self._table = table
        self._clock = clock

    @override
    def hit(self, user_id: str, what: str, rate: Rate) -> None:
        """Count one call in the fixed window; counting is at-least-once: a lost acknowledgement may count it twice."""
        window, passed = divmod(self._clock.now().timestamp(), rate.seconds)
        counted, _ = self._update(
            f"calls#{user_id}#{what}#{int(window)}",
            "ADD taken :one SET expires_at = :expiry",
            "attribute_not_exists(taken) OR taken < :limit",
            one=_number(1),
            limit=_number(rate.limit),
            expiry=_number((window + 1) * rate.seconds + DAY),
        )
        if not counted:
            raise rate.exceeded(rate.seconds - passed)

    @override
    def acquire(self, user_id: str, rate: Rate, most: int, seconds: float) -> str:
        """Acquire a lease; it expires after `seconds` even if it is never released."""
        now = self._clock.now().timestamp()
        start, lease = _ticket(now + rate.seconds), _ticket(now + seconds)
        held: dict[str, Set[str]] = {}
        for _ in range(2):
            admitted, held = self._update(
                f"runs#{user_id}",
                "ADD starts :start, leases :lease SET expires_at = :expiry",
                "(attribute_not_exists(starts) OR size(starts) < :limit)"
                " AND (attribute_not_exists(leases) OR size(leases) < :most)",
                start={"SS": [start]},
                lease={"SS": [lease]},
                limit=_number(rate.limit),
                most=_number(most),
                expiry=_number(now + DAY),
            )
            if admitted or lease in held["leases"]:  # the ticket exists already: an acknowledgement was lost
                return lease
            stale = {name: _stale(tickets, now) for name, tickets in held.items()}
            if not any(stale.values()):
                break
            self._drop(user_id, **stale)
        if len(held["leases"]) >= most:
            raise too_many_in_flight(most)
        raise rate.exceeded(min(map(_end, held["starts"])) - now)

    @override
    def renew(self, user_id: str, lease: str, seconds: float) -> str:
        """Add the new ticket, then remove the old one, so that the execution is counted at any time."""
        now = self._clock.now().timestamp()
        renewed = _ticket(now + seconds, _token(lease))
        if _end(renewed) <= _end(lease):
            return lease
        added = "ADD leases :lease SET expires_at = :expiry"
        self._update(f"runs#{user_id}", added, None, lease={"SS": [renewed]}, expiry=_number(now + DAY))
        try:
            self._drop(user_id, leases={lease})
        except LimitsUnavailable as error:
            _log.warning("a renewed lease was not removed and will expire: %r", error.__cause__)
        return renewed

    @override
    def release(self, user_id: str, lease: str) -> None:
        self._drop(user_id, leases={lease})

    def _drop(self, user_id: str, **tickets: Set[str]) -> None:
        """Remove tickets from their sets; tickets are unique per call."""
        dropped = {name: {"SS": sorted(some)} for name, some in tickets.items() if some}
        self._update(f"runs#{user_id}", "DELETE " + ", ".join(f"{name} :{name}" for name in dropped), None, **dropped)

    def _update(
        self, name: str, expression: str, condition: str | None, **values: Any
    ) -> tuple[bool, dict[str, Set[str]]]:
        """Whether the condition held, and if not, the sets in the row."""
        conditional = {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        with _known_error():
            try:
                client("dynamodb", short_timeout=True).update_item(
                    TableName=self._table,
                    Key={"name": {"S": name}},
                    UpdateExpression=expression,
                    ExpressionAttributeValues={f":{key}": value for key, value in values.items()},
                    **(conditional if condition else {}),
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                return False, _sets(error.response.get("Item", {}))
        return True, {}


@contextmanager
def _known_error() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        problem = "Your rate limits cannot be checked now. Nothing was sent. Try again in a moment."
        raise LimitsUnavailable(problem, retry_after=1) from error


def _ticket(end: float, token: str | None = None) -> str:
    """A unique ticket that contains its expiry, to the microsecond; with `token`, the next ticket of that lease."""
    return f"{end:.6f}-{token or token_hex(4)}"


def _end(ticket: str) -> float:
    return float(ticket.partition("-")[0])


def _token(ticket: str) -> str:
    return ticket.partition("-")[2]


def _stale(tickets: Set[str], now: float) -> set[str]:
    """The tickets that have expired, and those of leases that have a later one."""
    latest = {_token(each): each for each in sorted(tickets, key=_end)}
    return {each for each in tickets if _end(each) <= now or latest[_token(each)] != each}


def _sets(row: Mapping[str, Any]) -> dict[str, Set[str]]:
    return {name: frozenset(row.get(name, {}).get("SS", ())) for name in ("starts", "leases")}


def _number(value: float) -> dict[str, str]:
    return {"N": str(int(value))}
