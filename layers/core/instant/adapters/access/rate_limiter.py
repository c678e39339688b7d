"""Rate limits and leases in DynamoDB: each call is counted by one conditional write, so concurrent calls are safe."""

import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from secrets import token_hex
from typing import Any, override

from botocore.exceptions import BotoCoreError, ClientError

from instant.adapters.access.start_writes import StartWrite, StoredStarts, number, start_write
from instant.adapters.aws.client import client
from instant.domain.access.start_window import slot_at
from instant.domain.errors import LimitsUnavailable
from instant.domain.limits import Rate, too_many_in_flight
from instant.ports.access.rate_limiter import RateLimiter
from instant.ports.clock import Clock

DAY = 86_400
"""TTL of rows after their last use: it only removes old rows, correctness does not depend on it."""

MAX_WRITES = 6
"""Maximum writes to count one start: a write is refused when another start was the first in a new slot."""

MAX_KNOWN = 1_000
"""Maximum users whose starts an environment remembers."""

_PROBLEM = "Your rate limits cannot be checked now. Nothing was sent. Try again in a moment."
_log = logging.getLogger(__name__)


class DynamoRateLimiter(RateLimiter):
    """Requests use a fixed window with one counter per window: a small write for every limit.

    Executions have one row per user. It counts starts in a sliding window (`StartWindow`) and has a ticket, the lease,
    for each execution in flight. A ticket contains its expiry and never changes. One conditional write checks both
    limits; it is idempotent, since it is refused once the row has the ticket. Expired tickets are removed when the row
    has as many as are allowed. A renewed lease is a later ticket with the same token.
    """

    def __init__(self, table: str, clock: Clock, *, max_known: int = MAX_KNOWN) -> None:
        """Use the table of this name; the starts of `max_known` users are remembered."""
        self._table = table
        self._clock = clock
        self._max_known = max_known
        self._known = OrderedDict[str, StoredStarts]()

    @override
    def hit(self, user_id: str, what: str, rate: Rate) -> None:
        """Count one call in the fixed window; counting is at-least-once: a lost acknowledgement may count it twice."""
        window, passed = divmod(self._clock.now().timestamp(), rate.seconds)
        counted, _ = self._update(
            f"calls#{user_id}#{what}#{int(window)}",
            "ADD taken :one SET expires_at = :expiry",
            "attribute_not_exists(taken) OR taken < :limit",
            one=number(1),
            limit=number(rate.limit),
            expiry=number((window + 1) * rate.seconds + DAY),
        )
        if not counted:
            raise rate.exceeded(rate.seconds - passed)

    @override
    def acquire(self, user_id: str, rate: Rate, most: int, seconds: float) -> str:
        """Acquire a lease; it expires after `seconds` even if it is never released."""
        now = self._clock.now().timestamp()
        lease, slot = _ticket(now + seconds), slot_at(now)
        for _ in range(MAX_WRITES):
            row = self._start(user_id, lease, start_write(self._known.get(user_id), slot, rate), now, most)
            leases, starts = _leases(row), StoredStarts.of(row)
            self._remember(user_id, starts)
            if lease in leases:
                return lease
            if len(leases) >= most:
                self._drop_expired(user_id, leases, now, most)
            if starts and (moved := starts.window.moved_to(slot, rate)).count >= rate.limit:
                raise rate.exceeded(moved.free_at(rate) - now)
        raise LimitsUnavailable(_PROBLEM, retry_after=1)

    def _start(self, user_id: str, lease: str, start: StartWrite, now: float, most: int) -> Mapping[str, Any]:
        """The row after the write, or as it is if its condition did not hold."""
        _, row = self._update(
            f"runs#{user_id}",
            f"ADD {', '.join(filter(None, ('leases :lease', start.add)))}"
            f" SET {', '.join(filter(None, ('expires_at = :expiry', start.set)))}",
            f"{start.condition} AND (attribute_not_exists(leases)"
            " OR (size(leases) < :most AND NOT contains(leases, :ticket)))",
            lease={"SS": [lease]},
            ticket={"S": lease},
            most=number(most),
            expiry=number(now + DAY),
            **start.values,
        )
        return row

    @override
    def renew(self, user_id: str, lease: str, seconds: float) -> str:
        """Add the new ticket, then remove the old one, so that the execution is counted at any time."""
        now = self._clock.now().timestamp()
        renewed = _ticket(now + seconds, _token(lease))
        if _end(renewed) <= _end(lease):
            return lease
        added = "ADD leases :lease SET expires_at = :expiry"
        self._update(f"runs#{user_id}", added, None, lease={"SS": [renewed]}, expiry=number(now + DAY))
        try:
            self._drop(user_id, {lease})
        except LimitsUnavailable as error:
            _log.warning("a renewed lease was not removed and will expire: %r", error.__cause__)
        return renewed

    @override
    def release(self, user_id: str, lease: str) -> None:
        self._drop(user_id, {lease})

    def _remember(self, user_id: str, starts: StoredStarts | None) -> None:
        """Keep what the row has: it saves a write for the first start of the user in the next slot."""
        self._known.pop(user_id, None)
        if starts:
            self._known[user_id] = starts
        if len(self._known) > self._max_known:
            self._known.popitem(last=False)

    def _drop_expired(self, user_id: str, leases: Set[str], now: float, most: int) -> None:
        """Remove the expired leases; raise the error for too many executions if there are not enough."""
        expired = _expired(leases, now)
        if len(leases) - len(expired) >= most:
            raise too_many_in_flight(most)
        self._drop(user_id, expired)

    def _drop(self, user_id: str, leases: Set[str]) -> None:
        """Remove leases; their tickets are unique per call."""
        self._update(f"runs#{user_id}", "DELETE leases :leases", None, leases={"SS": sorted(leases)})

    def _update(self, name: str, expression: str, condition: str | None, **values: Any) -> tuple[bool, dict[str, Any]]:
        """Whether the condition held, and the row."""
        conditional = {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        with _known_error():
            try:
                reply = client("dynamodb", short_timeout=True).update_item(
                    TableName=self._table,
                    Key={"name": {"S": name}},
                    UpdateExpression=expression,
                    ExpressionAttributeValues={f":{key}": value for key, value in values.items()},
                    ReturnValues="ALL_NEW",
                    **(conditional if condition else {}),
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                return False, error.response.get("Item", {})
        return True, reply["Attributes"]


@contextmanager
def _known_error() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise LimitsUnavailable(_PROBLEM, retry_after=1) from error


def _ticket(end: float, token: str | None = None) -> str:
    """A unique ticket that contains its expiry, to the microsecond; with `token`, the next ticket of that lease."""
    return f"{end:.6f}-{token or token_hex(4)}"


def _end(ticket: str) -> float:
    return float(ticket.partition("-")[0])


def _token(ticket: str) -> str:
    return ticket.partition("-")[2]


def _expired(tickets: Set[str], now: float) -> set[str]:
    """The tickets that have expired, and those of leases that have a later one."""
    latest = {_token(each): each for each in sorted(tickets, key=_end)}
    return {each for each in tickets if _end(each) <= now or latest[_token(each)] != each}


def _leases(row: Mapping[str, Any]) -> Set[str]:
    return frozenset(row.get("leases", {}).get("SS", ()))
