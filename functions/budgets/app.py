"""/api/budgets: set daily and monthly budgets, and show their spending."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from instant.adapters.access.api_keys import DynamoApiKeyStore
from instant.adapters.clock import SystemClock
from instant.adapters.resources.reader import DynamoResourceReader
from instant.adapters.usage.budgets import DynamoBudgetStore
from instant.domain.errors import InvalidField
from instant.domain.limits import MAX_ID_CHARACTERS
from instant.domain.money import to_nanousd
from instant.domain.usage.budget import BudgetScope
from instant.entrypoints.http.app import api, handler_of
from instant.entrypoints.http.caller import caller_of
from instant.entrypoints.http.paging import PageOf, whole_answer
from instant.entrypoints.usage.budgets import BudgetView, NewBudget, SettableScope, budget_view
from instant.settings import BudgetsSettings
from instant.use_cases.usage.budgets import BudgetDeps, list_budgets, read_budget, set_budget

settings = BudgetsSettings.load()
deps = BudgetDeps(
    budgets=DynamoBudgetStore(settings.limits_table),
    resources=DynamoResourceReader(settings.resources_table),
    api_keys=DynamoApiKeyStore(settings.api_keys_table),
    clock=SystemClock(),
)
app = api()


@app.get("/api/budgets")
def index(
    scope: Annotated[
        SettableScope | None, Query(description="Return only one budget: your own, or the platform's.")
    ] = None,
    subject_id: Annotated[
        str | None,
        Query(alias="id", max_length=MAX_ID_CHARACTERS, description="With `scope`: id of your API key or resource."),
    ] = None,
) -> PageOf[BudgetView]:
    """List the budgets that the caller has set, and the caller's own; admins also see the platform's (`global`).

    Spending is counted only while a limit is set; without a limit it is null, which is different from 0.
    `GET /api/executions` has the cost of each call.
    """
    caller = caller_of(app)
    if scope:
        return whole_answer([budget_view(read_budget(BudgetScope(scope), subject_id, caller, deps))])
    if subject_id is not None:
        raise InvalidField.named("scope", "is required with an id: api_key or resource")
    return whole_answer([budget_view(status) for status in list_budgets(caller, deps)])


@app.put("/api/budgets")
def replace(body: NewBudget) -> BudgetView:
    """Set the budget of a UTC day and month for calls that begin from now on; two nulls remove it.

    A call that exceeds a budget is rejected before anything is sent: 429 `budget_exhausted`, or 409 `cost_cap` if even
    the unspent budget is too small. `global` is split into eight shards: one call can reserve at most one eighth.
    """
    status = set_budget(
        BudgetScope(body.scope),
        body.id,
        daily_nanousd=to_nanousd(body.daily_usd),
        monthly_nanousd=to_nanousd(body.monthly_usd),
        caller=caller_of(app),
        deps=deps,
    )
    return budget_view(status)


handler = handler_of(app, settings)
