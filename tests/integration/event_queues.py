"""Queues that receive the events on the bus through a rule."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from instant.adapters.aws import client as aws
from tests.integration.app import App

MODELS_CHANGED = "openrouter/models.changed"
RESOURCE_AFFECTED = "resource/model.affected"


@dataclass(frozen=True)
class EventQueue:
    """A queue that receives the events of one detail type."""

    queue: str

    def receive(self) -> list[dict[str, Any]]:
        """Receive and delete the events in the queue, in no order."""
        found: list[dict[str, Any]] = []
        while (
            messages := aws.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages")
        ):
            found += (json.loads(message["Body"]) for message in messages)
            for message in messages:
                aws.client("sqs").delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return found


@contextmanager
def event_queue(detail_type: str, bus: str) -> Iterator[EventQueue]:
    """Create a queue for the events of one detail type on a bus, and delete it at the end."""
    name = detail_type.replace("/", "-").replace(".", "-")
    sqs, events = aws.client("sqs"), aws.client("events")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["instant.resources"], "detail-type": [detail_type]}
    events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    try:
        yield EventQueue(queue)
    finally:
        events.remove_targets(Rule=name, EventBusName=bus, Ids=["queue"])
        events.delete_rule(Name=name, EventBusName=bus)
        sqs.delete_queue(QueueUrl=queue)


@contextmanager
def owner_notifications(app: App) -> Iterator["OwnerNotifications"]:
    """Collect the notifications of owners until the end of the block."""
    bus = app.name("EVENT_BUS")
    with event_queue(MODELS_CHANGED, bus) as changed, event_queue(RESOURCE_AFFECTED, bus) as affected:
        yield OwnerNotifications(app, changed, affected)


@dataclass(frozen=True)
class OwnerNotifications:
    """The queues of both events: `changed` is handled by the app, `affected` is for owners."""

    app: App
    changed: EventQueue
    affected: EventQueue

    def notifications(self) -> list[dict[str, Any]]:
        """Handle every change event and return the notifications of owners, sorted by model and change."""
        for event in self.changed.receive():
            self.app.invoke("ModelImpactFunction", event)
        details = [event["detail"] for event in self.affected.receive()]
        return sorted(details, key=lambda detail: (detail["model"], detail["change"], detail["resource_id"]))
