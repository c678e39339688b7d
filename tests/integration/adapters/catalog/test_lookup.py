"""Reading models by id in batches, and the candidates for a successor."""

from collections.abc import Callable

import pytest

from instant.adapters.catalog.lookup import DynamoModelLookup
from instant.adapters.catalog.store import DynamoCatalogWriter
from instant.domain.catalog.sync_plan import Transition
from tests.fakes.builders import a_model
from tests.integration.adapters.catalog.catalogs import writer_of
from tests.integration.app import App

type Fresh = Callable[[str], str]


@pytest.fixture
def lookup(cloud: App) -> DynamoModelLookup:
    return DynamoModelLookup(cloud.name("MODELS_TABLE"))


@pytest.fixture
def catalog(cloud: App) -> DynamoCatalogWriter:
    return writer_of(cloud)


def test_lookup_reads_more_than_one_batch_once_each(
    lookup: DynamoModelLookup, catalog: DynamoCatalogWriter, fresh: Fresh
) -> None:
    models = [a_model(fresh("meadow/m")) for _ in range(101)]
    catalog.write(Transition(model, ()) for model in models)
    ids = [model.openrouter_id for model in models]
    assert lookup.some([*ids, *ids, "nobody/none"]) == dict(zip(ids, models, strict=True))
    assert lookup.some([]) == {}


def test_related_models_are_alias_targets_and_models_with_the_slug(
    lookup: DynamoModelLookup, catalog: DynamoCatalogWriter, fresh: Fresh
) -> None:
    slug, target = fresh("meadow/slug"), a_model(fresh("meadow/m"))
    models = [a_model(fresh("meadow/m"), canonical_slug=slug, alias_target=target.openrouter_id) for _ in range(2)]
    catalog.write(Transition(model, ()) for model in (target, *models))
    found = {model.openrouter_id for model in lookup.related(models[0])}
    assert found == {target.openrouter_id, models[1].openrouter_id}
    assert lookup.related(target) == []
