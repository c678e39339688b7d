"""GET /api/models and GET /api/models/{author}/{slug}: their query parameters and handlers."""

from typing import Annotated
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from instant.domain.catalog.index import ModelSort
from instant.domain.catalog.query import ModelQuery
from instant.domain.clock import format_time
from instant.entrypoints.catalog.queries import AllOf, AnyOf, At, Days, Expiring, Price, days_before, ending, words
from instant.entrypoints.catalog.responses import ModelAnswers
from instant.entrypoints.http.conditional import IfNoneMatch
from instant.entrypoints.http.paging import page_request
from instant.ports.catalog.changes import ChangeLists
from instant.ports.catalog.snapshots import SnapshotReader
from instant.ports.clock import Clock
from instant.use_cases.catalog.browse import Catalog
from instant.use_cases.catalog.past import PastCatalogs, model_at


class ModelBrowser:
    """The two routes, for the app that serves them."""

    def __init__(
        self,
        app: APIGatewayRestResolver,
        catalog: Catalog,
        snapshots: SnapshotReader,
        changes: ChangeLists,
        clock: Clock,
    ) -> None:
        """Register the routes on `app`; past times are answered by undoing later changes."""
        self._app = app
        self._catalog = catalog
        self._past = PastCatalogs(catalog, snapshots, changes)
        self._changes = changes
        self._answers = ModelAnswers(catalog)
        self._clock = clock

    def index(
        self,
        q: Annotated[str | None, Query(max_length=200)] = None,
        author: AnyOf = None,
        input_modality: AllOf = None,
        output_modality: AllOf = None,
        supported_parameter: AllOf = None,
        min_context: Annotated[int | None, Query(ge=0)] = None,
        min_price: Price = None,
        max_price: Price = None,
        free: bool | None = None,
        active: bool = True,
        min_age_days: Days = None,
        max_age_days: Days = None,
        expiring: Expiring = None,
        expiring_within_days: Days = None,
        sort: ModelSort = ModelSort.NEWEST,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: str | None = None,
        at: At = None,
    ) -> Response[str]:
        """List the models that match, with pagination and the exact total."""
        today = (at or self._clock.now()).date()
        ends_by, outlasts = ending(today, expiring=expiring, within=expiring_within_days)
        query = ModelQuery(
            text=q,
            authors=words(author),
            input_modalities=words(input_modality),
            output_modalities=words(output_modality),
            supported_parameters=words(supported_parameter),
            min_context=min_context,
            min_price=min_price,
            max_price=max_price,
            free=free,
            active=active,
            released_since=days_before(today, max_age_days),
            released_until=days_before(today, min_age_days),
            ends_by=ends_by,
            outlasts=outlasts,
        )
        answers = ModelAnswers(self._past.at(format_time(at))) if at else self._answers
        return answers.page(query, sort, page_request(limit, cursor), IfNoneMatch.by(self._app))

    def show(self, author: str, slug: str, at: At = None) -> Response[str]:
        """Get one model, active or not; the gateway leaves both path parts percent-encoded."""
        model = f"{unquote(author)}/{unquote(slug)}"
        answers = ModelAnswers(model_at(format_time(at), model, self._catalog, self._changes)) if at else self._answers
        return answers.one(model, IfNoneMatch.by(self._app))
