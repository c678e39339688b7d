"""The endpoints of models in use, in DynamoDB."""

from dataclasses import asdict
from typing import override

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from instant.adapters.aws.tables import Table
from instant.domain.catalog.endpoint import Endpoint, ModelEndpoints
from instant.ports.catalog.endpoints import ModelEndpointsStore


class ModelEndpointsRow(Table):
    """One model's endpoints as JSON."""

    openrouter_id = UnicodeAttribute(hash_key=True)
    read_at = UnicodeAttribute()
    endpoints = JSONAttribute()


class DynamoModelEndpointsStore(ModelEndpointsStore):
    """One row for each model."""

    def __init__(self, table_name: str) -> None:
        """Use the table of this name."""
        self._rows = ModelEndpointsRow.named(table_name)

    @override
    def get(self, openrouter_id: str) -> ModelEndpoints | None:
        row = self._rows.find(openrouter_id)
        if row is None:
            return None
        endpoints = tuple(Endpoint(**facts) for facts in row.endpoints)
        return ModelEndpoints(openrouter_id=row.openrouter_id, read_at=row.read_at, endpoints=endpoints)

    @override
    def put(self, model_endpoints: ModelEndpoints) -> None:
        self._rows(
            **{**asdict(model_endpoints), "endpoints": [asdict(endpoint) for endpoint in model_endpoints.endpoints]}
        ).save()
