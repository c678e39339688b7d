"""A deployed stack as the checks see it: its outputs, a temporary user, and its alarms."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import httpx

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.adapters.aws.client import client
from instant.adapters.aws.deployed_stack import output_of
from instant.adapters.clock import SystemClock
from instant.domain.access.api_key import mint
from instant.domain.access.identity import Scope
from instant.domain.clock import format_time
from instant.domain.ids import new_id

LIFETIME = timedelta(hours=1)
"""How long the temporary key is valid if it is not revoked."""

SECONDS = 30.0
"""The timeout of one request: API Gateway answers within 29 seconds."""


@dataclass(frozen=True)
class Deployed:
    """A stack with the base URL of its API, its table of API keys, and the topic of its alarms."""

    name: str
    url: str
    keys_table: str
    topic: str

    @classmethod
    def named(cls, stack: str) -> Self:
        """Read the outputs of a stack; raises `StackUnusable` if there is no such stack."""
        outputs = (output_of(stack, name) for name in ("ApiUrl", "ApiKeysTable", "AlarmTopic"))
        return cls(stack, *outputs)

    @contextmanager
    def user(self) -> Iterator[httpx.Client]:
        """A client of the API with the key of a new user, which has every scope and is revoked afterwards."""
        now = SystemClock().now()
        secret, key = mint(
            user_id=new_id("operator", now),
            name="make smoke",
            scopes=frozenset(Scope),
            now=now,
            expires_at=format_time(now + LIFETIME),
        )
        DynamoApiKeyStore(self.keys_table).put(key)
        token = {"Authorization": f"Bearer {secret.reveal()}"}
        with httpx.Client(base_url=self.url, headers=token, timeout=SECONDS) as api:
            try:
                yield api
            finally:
                api.delete(f"/api/user/api-keys/{key.key_id}")

    def alarm(self, logical_id: str) -> str:
        """The name of an alarm of this stack; empty if it does not exist."""
        alarms = client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{self.name}-{logical_id}")["MetricAlarms"]
        return next((str(alarm["AlarmName"]) for alarm in alarms if self.topic in alarm["AlarmActions"]), "")

    def raise_alarm(self, name: str) -> str:
        """Set an alarm off by hand; returns the state that it has then. CloudWatch resets it within minutes."""
        cloudwatch = client("cloudwatch")
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="make smoke")
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return str(alarm["StateValue"])

    def subscribers(self) -> int:
        """The number of confirmed subscriptions of the topic."""
        pages = client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self.topic)
        arns = [subscription["SubscriptionArn"] for page in pages for subscription in page["Subscriptions"]]
        return sum(arn.startswith("arn:") for arn in arns)
