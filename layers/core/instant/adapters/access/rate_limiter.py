"""Rates and leases in DynamoDB: each call is counted by one conditional write, so none slips through beside another."""

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
"""How long rows outlive their last use: expiry here is tidiness, nothing depends on it."""


class DynamoRateLimiter(RateLimiter):
    """Ordinary calls are numbers, one for each window: a small write whatever the limit.

    Executions hold tickets in two sets of one row: one for the rate and one, the lease, while they run. A ticket
    says when it ends and never changes; a set grows only while it is small enough, and gives up its ended tickets
    only when it is full. So both limits are the condition of one write, and writing a ticket twice is writing it once.
    """

    def __init__(self, table: str, clock: Clock) -> None:
        """Use the table of this name."""
        self._table = table
        self._clock = clock

    @override
    def hit(self, user_id: str, what: str, rate: Rate) -> None:
        """Count one call in the window of the clock; a lost acknowledgement may count it twice, never not at all."""
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
        """The lease; it ends by itself after `seconds`, whatever becomes of its holder."""
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
            if admitted or lease in held["leases"]:  # there already: an acknowledgement was lost
                return lease
            ended = {name: {each for each in tickets if _end(each) <= now} for name, tickets in held.items()}
            if not any(ended.values()):
                break
            self._drop(user_id, **ended)
        if len(held["leases"]) >= most:
            raise too_many_in_flight(most)
        raise rate.exceeded(min(map(_end, held["starts"])) - now)

    @override
    def release(self, user_id: str, lease: str) -> None:
        self._drop(user_id, leases={lease})

    def _drop(self, user_id: str, **tickets: Set[str]) -> None:
        """Take tickets out of their sets; nobody else can have put the same ones there."""
        dropped = {name: {"SS": sorted(some)} for name, some in tickets.items() if some}
        self._update(f"runs#{user_id}", "DELETE " + ", ".join(f"{name} :{name}" for name in dropped), None, **dropped)

    def _update(
        self, name: str, expression: str, condition: str | None, **values: Any
    ) -> tuple[bool, dict[str, Set[str]]]:
        """Whether the condition held, and if not, the row's sets as they were."""
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
        problem = "Your limits cannot be read just now, so nothing was sent. Call again in a moment."
        raise LimitsUnavailable(problem, retry_after=1) from error


def _ticket(end: float) -> str:
    """Unique, and it says when it ends, to the microsecond."""
    return f"{end:.6f}-{token_hex(4)}"


def _end(ticket: str) -> float:
    return float(ticket.partition("-")[0])


def _sets(row: Mapping[str, Any]) -> dict[str, Set[str]]:
    return {name: frozenset(row.get(name, {}).get("SS", ())) for name in ("starts", "leases")}


def _number(value: float) -> dict[str, str]:
    return {"N": str(int(value))}
