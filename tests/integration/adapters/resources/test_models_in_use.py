"""The index of models in use has every resource that names a model, first or as a fallback."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from instant.adapters.resources.models_in_use import DynamoModelsInUse, DynamoUsesOfModels
from instant.adapters.resources.store import DynamoResourceStore
from instant.domain.catalog.impact import Use
from instant.domain.catalog.successor import SuccessorPolicy
from tests.fakes.builders import NOON, a_resource
from tests.integration.app import App
from tests.integration.resource_stores import a_resource_store

type Fresh = Callable[[str], str]


@pytest.fixture
def store(cloud: App) -> DynamoResourceStore:
    return a_resource_store(cloud)


@pytest.fixture
def uses(cloud: App) -> DynamoUsesOfModels:
    return DynamoUsesOfModels(cloud.name("RESOURCES_TABLE"))


def test_model_is_in_use_while_a_setting_names_it(
    store: DynamoResourceStore, uses: DynamoUsesOfModels, fresh: Fresh
) -> None:
    first, second, third = (fresh("meadow/m") for _ in range(3))
    model = {"pricing": {"prompt": "0.1"}}
    old = a_resource(
        fresh("res"), slug=fresh("s").replace("_", "-"), ai_model_id=first, prices={first: model, second: model}
    )
    use = Use(resource_id=old.resource_id, owner_id="user_alice", successor_policy=SuccessorPolicy.SUGGEST)
    store.create(old)
    assert store.get(old.resource_id) == old
    assert [list(uses.of(name)) for name in (first, second, third)] == [[use], [use], []]
    assert store.get(f"use#{old.resource_id}#{second}") is None
    new = replace(old, revision=2, prices={first: model, third: model})
    store.replace(old, new)
    assert [list(uses.of(name)) for name in (first, second, third)] == [[use], [], [use]]
    switching = replace(new, revision=3, successor_policy=SuccessorPolicy.SWITCH)
    store.replace(new, switching)
    expected = [replace(use, successor_policy=SuccessorPolicy.SWITCH)]
    assert [list(uses.of(name)) for name in (first, third)] == [expected, expected]
    store.delete(switching, NOON)
    assert [list(uses.of(name)) for name in (first, second, third)] == [[], [], []]


def test_fallback_models_are_in_use(cloud: App, store: DynamoResourceStore, fresh: Fresh) -> None:
    first, second = fresh("meadow/m"), fresh("meadow/m")
    store.create(
        a_resource(fresh("res"), slug=fresh("s").replace("_", "-"), ai_model_id=first, prices={first: {}, second: {}})
    )
    assert {first, second} <= set(DynamoModelsInUse(cloud.name("RESOURCES_TABLE")).most_used(100))
