"""Asynchronous events that still fail after their retries go to an encrypted dead letter queue."""

import pytest

from tests.architecture.project import Function, Json, asynchronous_functions, functions, resources
from tests.architecture.stack.roles import of_type

QUEUE = {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
EACH_ASYNCHRONOUS_FUNCTION = pytest.mark.parametrize(
    "started", asynchronous_functions(), ids=lambda function: function.name
)
AN_HOUR = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10}
"""For schedules: a later run of the schedule does the same."""

A_DAY = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
"""For events of our own, which are sent once: what EventBridge allows at most."""

TWO_WEEKS = 14 * 24 * 3600


@EACH_ASYNCHRONOUS_FUNCTION
def test_failed_event_is_retried_twice_and_then_sent_to_the_queue(started: Function) -> None:
    (config,) = (
        body
        for body in of_type("AWS::Lambda::EventInvokeConfig").values()
        if body["FunctionName"] == {"Ref": started.logical_id}
    )
    assert config["MaximumRetryAttempts"] == 2
    assert config["DestinationConfig"] == {"OnFailure": {"Destination": QUEUE}}


def test_rule_sends_undeliverable_events_to_the_queue() -> None:
    targets = [target for rule in of_type("AWS::Events::Rule").values() for target in rule["Targets"]]
    assert len(targets) >= len(asynchronous_functions())
    assert [target["Id"] for target in targets if target.get("DeadLetterConfig") != {"Arn": QUEUE}] == []


def test_rule_target_has_a_retry_policy() -> None:
    policies = {rule: body["Targets"][0].get("RetryPolicy") for rule, body in of_type("AWS::Events::Rule").items()}
    on_our_bus = {rule for rule, body in of_type("AWS::Events::Rule").items() if "EventBusName" in body}
    assert policies == {rule: A_DAY if rule in on_our_bus else AN_HOUR for rule in policies}


def test_our_events_are_sent_and_received_on_the_bus_of_the_stack() -> None:
    (bus,) = of_type("AWS::Events::EventBus")
    assert of_type("AWS::Events::EventBus")[bus]["Name"] == {"Ref": "AWS::StackName"}
    listening = {body.get("EventBusName") == {"Fn::GetAtt": [bus, "Name"]} for body in rules_on("EventPattern")}
    sending = {f.name: f.environment["EVENT_BUS"] for f in functions() if "EVENT_BUS" in f.environment}
    assert listening == {True}
    assert sending == {name: {"Fn::GetAtt": [bus, "Name"]} for name in sending}
    assert sending


def test_schedules_stay_on_the_default_bus() -> None:
    """EventBridge runs schedules on no other bus."""
    assert [body["EventBusName"] for body in rules_on("ScheduleExpression") if "EventBusName" in body] == []


def rules_on(trigger: str) -> list[Json]:
    """The rules that have this property; there are some."""
    found = [body for body in of_type("AWS::Events::Rule").values() if trigger in body]
    assert found
    return found


def test_dead_letter_queue_is_encrypted_and_has_maximum_retention() -> None:
    queue = resources("AWS::SQS::Queue")["DeadLetterQueue"]
    assert queue["Properties"] == {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": TWO_WEEKS}


def test_dead_letter_queue_policy_allows_only_this_stack_over_tls() -> None:
    (policy,) = of_type("AWS::SQS::QueuePolicy").values()
    assert policy["Queues"] == [{"Ref": "DeadLetterQueue"}]
    tls, rules = policy["PolicyDocument"]["Statement"]
    assert (tls["Effect"], tls["Principal"], tls["Action"], tls["Resource"]) == ("Deny", "*", "sqs:*", QUEUE)
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (rules["Principal"], rules["Action"]) == ({"Service": "events.amazonaws.com"}, "sqs:SendMessage")
    mine = [{"Fn::GetAtt": [name, "Arn"]} for name in of_type("AWS::Events::Rule")]
    assert list(rules["Condition"]) == ["ArnEquals"]
    assert sorted(rules["Condition"]["ArnEquals"]["aws:SourceArn"], key=str) == sorted(mine, key=str)
