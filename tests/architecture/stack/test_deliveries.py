"""An asynchronous event that fails for good is kept in an encrypted dead letter queue."""

import pytest

from tests.architecture.project import Function, resources, started_by_events
from tests.architecture.stack.roles import of_type

QUEUE = {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
STARTED_BY_EVENTS = pytest.mark.parametrize("started", started_by_events(), ids=lambda function: function.name)
TWO_WEEKS = 14 * 24 * 3600


@STARTED_BY_EVENTS
def test_function_event_is_tried_three_times_and_then_kept(started: Function) -> None:
    (config,) = (
        body
        for body in of_type("AWS::Lambda::EventInvokeConfig").values()
        if body["FunctionName"] == {"Ref": started.logical_id}
    )
    assert config["MaximumRetryAttempts"] == 2
    assert config["DestinationConfig"] == {"OnFailure": {"Destination": QUEUE}}


def test_rule_keeps_undeliverable_events_in_the_queue() -> None:
    targets = [target for rule in of_type("AWS::Events::Rule").values() for target in rule["Targets"]]
    assert len(targets) >= len(started_by_events())
    assert [target["Id"] for target in targets if target.get("DeadLetterConfig") != {"Arn": QUEUE}] == []


def test_dead_letter_queue_is_encrypted_and_has_maximum_retention() -> None:
    queue = resources("AWS::SQS::Queue")["DeadLetterQueue"]
    assert queue["Properties"] == {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": TWO_WEEKS}
    assert (queue["DeletionPolicy"], queue["UpdateReplacePolicy"]) == ("Retain", "Retain")


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
