"""Hears what is put on the bus, as a rule with a queue behind it would."""

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
class Listener:
    """A queue that our events of one type arrive in."""

    queue: str

    def heard(self) -> list[dict[str, Any]]:
        """The events since the last time, in no order."""
        found: list[dict[str, Any]] = []
        while (
            messages := aws.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages")
        ):
            found += (json.loads(message["Body"]) for message in messages)
            for message in messages:
                aws.client("sqs").delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return found


@contextmanager
def listening(detail_type: str) -> Iterator[Listener]:
    """A listener from now on."""
    name = detail_type.replace("/", "-").replace(".", "-")
    sqs, events = aws.client("sqs"), aws.client("events")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["instant.resources"], "detail-type": [detail_type]}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    try:
        yield Listener(queue)
    finally:
        events.remove_targets(Rule=name, Ids=["queue"])
        events.delete_rule(Name=name)
        sqs.delete_queue(QueueUrl=queue)


@contextmanager
def listening_owners(app: App) -> Iterator["Owners"]:
    """What owners hear from now on."""
    with listening(MODELS_CHANGED) as changed, listening(RESOURCE_AFFECTED) as affected:
        yield Owners(app, changed, affected)


@dataclass(frozen=True)
class Owners:
    """Both events of the chain: the app hears the first, owners hear the second."""

    app: App
    changed: Listener
    affected: Listener

    def told(self) -> list[dict[str, Any]]:
        """What they are told once each change that was announced has been looked after, by model and change."""
        for event in self.changed.heard():
            self.app.invoke("ModelImpactFunction", event)
        details = [event["detail"] for event in self.affected.heard()]
        return sorted(details, key=lambda detail: (detail["model"], detail["change"], detail["resource_id"]))
