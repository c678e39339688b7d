"""EventBridge: matches events with the template's rules, and fires schedules on request."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.local.aws.arns import ACCOUNT, REGION, arn, last_part
from tests.local.plan import Rule, Schedule
from tests.local.template import Json

type Match = Callable[[Sequence[str], Mapping[str, Any]], list[bool]]
type Deliver = Callable[[str, bytes], None]


class Events:
    """Delivers the events of rules and schedules to functions."""

    def __init__(self, rules: Sequence[Rule], schedules: Sequence[Schedule], match: Match, deliver: Deliver) -> None:
        """`match` evaluates patterns, `deliver` starts an asynchronous invocation."""
        self._rules = rules
        self._schedules = schedules
        self._match = match
        self._deliver = deliver

    def put(self, body: Json) -> Json:
        """Deliver the entries of a PutEvents call and return its response, which reports invalid entries."""
        entries = [self._put(entry) for entry in body["Entries"]]
        return {"FailedEntryCount": sum("ErrorCode" in entry for entry in entries), "Entries": entries}

    def fire(self, function: str) -> None:
        """Send a function the event of its first schedule; raises KeyError if it has none."""
        schedule = next((s for s in self._schedules if s.function == function), None)
        if schedule is None:
            raise KeyError(f"{function} has no event of type Schedule")
        rule = arn("events", f"rule/{function}{schedule.name}")
        event = _envelope("aws.events", "Scheduled Event", {}, [rule])
        self._deliver(function, (schedule.input or json.dumps(event)).encode())

    def _put(self, entry: Json) -> Json:
        error = _entry_error(entry)
        if error:
            return error
        detail, resources = json.loads(entry["Detail"]), entry.get("Resources", [])
        event = _envelope(entry["Source"], entry["DetailType"], detail, resources)
        bus = last_part(entry.get("EventBusName", "default"))
        rules = [rule for rule in self._rules if rule.bus == bus]
        matched = self._match([rule.pattern for rule in rules], event)
        for function in sorted({rule.function for rule, yes in zip(rules, matched, strict=True) if yes}):
            self._deliver(function, json.dumps(event).encode())
        return {"EventId": event["id"]}


def _entry_error(entry: Json) -> Json | None:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            message = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
    try:
        well_formed = isinstance(json.loads(entry["Detail"]), dict)
    except ValueError:
        well_formed = False
    return None if well_formed else {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}


def _envelope(source: str, detail_type: str, detail: Json, resources: Sequence[str]) -> Json:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": list(resources),
        "detail": detail,
    }
