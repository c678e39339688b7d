"""Update the endpoints of models that resources use; failures are retried by the next sync."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from instant.domain.catalog.endpoint import ModelEndpoints
from instant.domain.clock import format_time
from instant.domain.errors import NotFound
from instant.integrations.openrouter.endpoints import endpoints_request, read_endpoints
from instant.ports.catalog.endpoints import ModelEndpointsReader, ModelEndpointsStore
from instant.ports.clock import Clock
from instant.ports.resources.models_in_use import ModelsInUse
from instant.ports.upstream import Upstream, ask

MAX_MODELS = 50
"""Maximum number of models per run; those used by the most resources come first."""

_ASK_SECONDS = 5.0
_SECONDS_TO_END = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointDeps:
    """The dependencies of updating endpoints."""

    upstream: Upstream
    in_use: ModelsInUse
    endpoints_store: ModelEndpointsStore
    clock: Clock


def watch_endpoints(deps: EndpointDeps, seconds_left: Callable[[], float]) -> int:
    """Fetch and store the endpoints of each model in use; returns how many were stored and raises nothing."""
    try:
        models = deps.in_use.most_used(MAX_MODELS)
        return sum(_watch(model, deps) for model in models if seconds_left() > _SECONDS_TO_END)
    except Exception:
        _log.warning("endpoints were not read", exc_info=True)
        return 0


def read_model_endpoints(openrouter_id: str, endpoints_store: ModelEndpointsReader) -> ModelEndpoints:
    """A model's endpoints; `NotFound` for one that no resource uses."""
    found = endpoints_store.get(openrouter_id)
    if found is None:
        raise NotFound("No endpoints are stored for this model: they are stored only for models that resources use.")
    return found


def _watch(model: str, deps: EndpointDeps) -> bool:
    try:
        endpoints = read_endpoints(ask(deps.upstream, endpoints_request(model), seconds=_ASK_SECONDS))
    except Exception:
        _log.warning("endpoints of %s were not read", model, exc_info=True)
        return False
    if endpoints is not None:
        deps.endpoints_store.put(
            ModelEndpoints(openrouter_id=model, read_at=format_time(deps.clock.now()), endpoints=endpoints)
        )
    return endpoints is not None
