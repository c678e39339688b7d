"""The facts of a call are read from three tables in one batch; unprocessed keys are retried."""

from collections.abc import Callable

import pytest

from instant.adapters.access.integrations import DynamoIntegrationStore
from instant.adapters.aws import client as aws
from instant.adapters.executions.call_facts import DynamoCallFacts
from instant.domain.access.integration import Account, Integration
from instant.domain.catalog.model import CatalogModel
from instant.domain.errors import UpstreamUnavailable
from instant.domain.usage.budget import Budget, BudgetScope, Subject
from instant.ports.executions.call_facts import CallFacts
from tests.fakes.aws_faults import Fault, answer, faults
from tests.fakes.builders import a_model, an_integration
from tests.integration.adapters.catalog.catalogs import write_models
from tests.integration.app import App

type Known = tuple[DynamoCallFacts, Integration, CatalogModel]


@pytest.fixture
def known(cloud: App, fresh: Callable[[str], str]) -> Known:
    """A reader, an integration and a model."""
    tables = cloud.name("INTEGRATIONS_TABLE"), cloud.name("MODELS_TABLE"), cloud.name("LIMITS_TABLE")
    integration, model = an_integration(fresh("user")), a_model(f"a/{fresh('m')}")
    DynamoIntegrationStore(tables[0]).put(integration)
    write_models(cloud, [model])
    return DynamoCallFacts(*tables), integration, model


def unprocessed(cloud: App, integration: Integration | None, model: CatalogModel | None) -> Fault:
    """Return a response with these keys as unprocessed."""
    keys = {}
    if integration:
        key = {"user_id": {"S": integration.user_id}, "service": {"S": integration.service}}
        keys[cloud.name("INTEGRATIONS_TABLE")] = {"Keys": [key], "ConsistentRead": True}
    if model:
        keys[cloud.name("MODELS_TABLE")] = {"Keys": [{"openrouter_id": {"S": model.openrouter_id}}]}
    return answer({"Responses": {}, "UnprocessedKeys": keys})


def test_call_facts_are_read_in_one_consistent_batch(known: Known) -> None:
    reader, integration, model = known
    with faults("BatchGetItem") as calls:
        assert reader.of(integration.user_id, "openrouter", [model.openrouter_id], (), platform=False) == CallFacts(
            Account(integration=integration), {model.openrouter_id: model}
        )
    (body,) = calls.bodies
    assert [table["ConsistentRead"] for table in body["RequestItems"].values()] == [True, True]


def test_models_are_read_by_id_and_unknown_ones_are_omitted(cloud: App, known: Known) -> None:
    reader, integration, model = known
    other = a_model(f"{model.openrouter_id}-other", is_active=False)
    write_models(cloud, [other])
    with faults("BatchGetItem") as calls:
        facts = reader.of(
            integration.user_id,
            "openrouter",
            [model.openrouter_id, "no/model", other.openrouter_id],
            (),
            platform=False,
        )
    assert facts.models == {model.openrouter_id: model, other.openrouter_id: other}
    assert len(calls.bodies) == 1


def test_missing_rows_are_none(known: Known) -> None:
    reader, integration, model = known
    assert reader.of(integration.user_id, "openrouter", ["no/model"], (), platform=False) == CallFacts(
        Account(integration=integration), {}
    )
    assert reader.of("user_nobody", "openrouter", [model.openrouter_id], (), platform=False) == CallFacts(
        Account(), {model.openrouter_id: model}
    )
    assert reader.of(integration.user_id, "other", ["no/model"], (), platform=False) == CallFacts(Account(), {})


def test_unprocessed_keys_are_retried(cloud: App, known: Known) -> None:
    reader, integration, model = known
    with faults("BatchGetItem", unprocessed(cloud, integration, model), unprocessed(cloud, None, model)) as calls:
        facts = reader.of(integration.user_id, "openrouter", [model.openrouter_id], (), platform=False)
    assert len(calls.bodies) == 3
    assert facts == CallFacts(Account(), {model.openrouter_id: model})  # the second response had no integration


def test_call_facts_combine_both_parts(cloud: App, known: Known) -> None:
    reader, integration, model = known
    with faults("BatchGetItem", unprocessed(cloud, integration, model)):
        assert reader.of(integration.user_id, "openrouter", [model.openrouter_id], (), platform=False) == CallFacts(
            Account(integration=integration), {model.openrouter_id: model}
        )


def test_row_that_stays_unprocessed_is_not_a_missing_row(cloud: App, known: Known) -> None:
    reader, integration, model = known
    busy = [unprocessed(cloud, integration, None)] * 3
    with faults("BatchGetItem", *busy) as calls, pytest.raises(UpstreamUnavailable) as caught:
        reader.of(integration.user_id, "openrouter", [model.openrouter_id], (), platform=False)
    assert len(calls.bodies) == 3
    assert caught.value.retryable


def test_budgets_and_the_platform_integration_are_read_too(
    cloud: App, known: Known, fresh: Callable[[str], str]
) -> None:
    reader, integration, model = known
    platform = an_integration("#platform")
    DynamoIntegrationStore(cloud.name("INTEGRATIONS_TABLE")).put(platform)
    mine, other = Subject(BudgetScope.USER, fresh("user")), Subject(BudgetScope.RESOURCE, fresh("res"))
    row = {"name": {"S": f"budget#{mine.name}"}, "daily_nanousd": {"N": "5"}}
    aws.client("dynamodb").put_item(TableName=cloud.name("LIMITS_TABLE"), Item=row)
    with faults("BatchGetItem") as calls:
        facts = reader.of(integration.user_id, "openrouter", [model.openrouter_id], [mine, other], platform=True)
    assert facts.budgets == (Budget(subject=mine, daily_nanousd=5),)
    assert (facts.caller, facts.platform) == (Account(integration=integration), Account(integration=platform))
    assert len(calls.bodies) == 1
