"""Asynchronous invocations: in flight until a function succeeds or has failed for good, and what is left then."""

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
    """Events on their way to functions. Lambda waits a minute or two between attempts, the local stack does not."""

    def __init__(self, plans: Mapping[str, FunctionPlan], invoke: Invoke, send: Send) -> None:
        """Delivers with `invoke`, which waits for the outcome; `send` takes a function, a queue's ARN and a message."""
        self._plans = plans
        self._invoke = invoke
        self._send = send
        self._in_flight = 0
        self._stopped = False
        self._changed = threading.Condition()

    def submit(self, function: str, event: bytes) -> None:
        """Starts a delivery and returns; EventTooLarge if the event is over 6 MB."""
        if len(event) > PAYLOAD_LIMIT:
            raise EventTooLarge
        with self._changed:
            self._in_flight += 1
        threading.Thread(target=self._deliver, args=(self._plans[function], event), daemon=True).start()

    def settle(self, timeout: float) -> None:
        """Waits until nothing is in flight; a TimeoutError says how much still is."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._in_flight == 0, timeout):
                raise TimeoutError(f"{self._in_flight} asynchronous deliveries are still in flight")

    def stop(self) -> None:
        """From now on, what fails is forgotten: the functions are about to be stopped."""
        self._stopped = True

    def _deliver(self, plan: FunctionPlan, event: bytes) -> None:
        try:
            outcome = self._invoke(plan.name, event)
            for _ in range(plan.attempts - 1):
                if outcome.failed:
                    outcome = self._invoke(plan.name, event)
            if outcome.failed:
                self._bury(plan, event, outcome)
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify_all()

    def _bury(self, plan: FunctionPlan, event: bytes, outcome: Outcome) -> None:
        if plan.dead_letters and not self._stopped:
            self._send(plan.name, plan.dead_letters, json.dumps(_record(plan, event, outcome)))
        else:
            print(f"{plan.name} failed {plan.attempts} times: event dropped", file=sys.stderr)


def _record(plan: FunctionPlan, event: bytes, outcome: Outcome) -> Json:
    """What Lambda tells a destination of an event that failed for good."""
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
