"""Asynchronous invocations with retries and a dead letter queue."""

import json
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from tests.local.aws.arns import function_arn
from tests.local.functions.invocation import PAYLOAD_LIMIT, EventTooLarge, Outcome
from tests.local.plan import FunctionPlan
from tests.local.template import Json

type Invoke = Callable[[str, bytes], Outcome]
type Send = Callable[[str, str, str], None]


class Deliveries:
    """Delivers events to functions. Unlike Lambda, it retries without a delay."""

    def __init__(self, plans: Mapping[str, FunctionPlan], invoke: Invoke, send: Send) -> None:
        """`invoke` runs a function and waits; `send` takes a function, the ARN of a queue, and a message."""
        self._plans = plans
        self._invoke = invoke
        self._send = send
        self._in_flight = 0
        self._stopped = False
        self._changed = threading.Condition()

    def submit(self, function: str, event: bytes) -> None:
        """Start a delivery and return; raises EventTooLarge if the event is over 6 MB."""
        if len(event) > PAYLOAD_LIMIT:
            raise EventTooLarge
        with self._changed:
            self._in_flight += 1
        threading.Thread(target=self._deliver, args=(self._plans[function], event), daemon=True).start()

    def settle(self, timeout: float) -> None:
        """Wait until no delivery is in flight; raises TimeoutError with the number of open deliveries."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._in_flight == 0, timeout):
                raise TimeoutError(f"{self._in_flight} asynchronous deliveries are still in flight")

    def stop(self) -> None:
        """Drop events that fail from now on, because the functions are about to stop."""
        self._stopped = True

    def _deliver(self, plan: FunctionPlan, event: bytes) -> None:
        try:
            outcome = self._invoke(plan.name, event)
            for _ in range(plan.attempts - 1):
                if outcome.failed:
                    outcome = self._invoke(plan.name, event)
            if outcome.failed:
                self._handle_failure(plan, event, outcome)
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify_all()

    def _handle_failure(self, plan: FunctionPlan, event: bytes, outcome: Outcome) -> None:
        if plan.dead_letters and not self._stopped:
            self._send(plan.name, plan.dead_letters, json.dumps(_record(plan, event, outcome)))
        else:
            print(f"{plan.name} failed {plan.attempts} times: event dropped", file=sys.stderr)


def _record(plan: FunctionPlan, event: bytes, outcome: Outcome) -> Json:
    """The message that Lambda sends to the destination of a failed event."""
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": f"{function_arn(plan.name)}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": plan.attempts,
        },
        "requestPayload": json.loads(event),
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": outcome.content,
    }
