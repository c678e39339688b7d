"""Events on EventBridge."""

import json

from instant.adapters.aws import client
from instant.domain.errors import UpstreamUnavailable

SOURCE = "instant.resources"


class EventBridgeBus:
    """One bus; every event carries our source."""

    def __init__(self, name: str) -> None:
        """Use the bus of this name."""
        self._name = name

    def put(self, detail_type: str, detail: dict[str, object]) -> None:
        """Send one event; the service may refuse it inside a success, which is a failure all the same."""
        reply = client("events").put_events(
            Entries=[
                {
                    "EventBusName": self._name,
                    "Source": SOURCE,
                    "DetailType": detail_type,
                    "Detail": json.dumps(detail),
                }
            ]
        )
        if reply["FailedEntryCount"]:
            raise UpstreamUnavailable("The event could not be sent. Try again in a moment.", retry_after=1)
