"""The template, the resolvers and the example events have the same routes."""

import json

from instant.entrypoints.scopes import SCOPES
from tests.architecture.probe import load
from tests.architecture.project import ROOT, Function, Json, Trigger, functions, relative

EVENTS = ROOT / "events"


def test_resolver_routes_match_the_template(function: Function) -> None:
    assert load(function).routes == function.routes


def test_every_path_has_a_preflight_route() -> None:
    """API Gateway does not fall back to another path: each one needs OPTIONS, at the function `preflight`."""
    added = {path for function in functions() for method, path in function.added_routes if method == "OPTIONS"}
    (preflight,) = [function for function in functions() if function.name == "preflight"]
    assert added == {path for function in functions() for _, path in function.routes}
    assert {("OPTIONS", path) for path in added} == preflight.added_routes


def test_public_get_route_has_head_at_the_same_function(function: Function) -> None:
    events = [event["Properties"] for event in function.properties.get("Events", {}).values() if event["Type"] == "Api"]
    public = [event for event in events if "NONE" in event.get("Auth", {}).values()]
    gets, heads = ({event["Path"] for event in public if event["Method"] == method} for method in ("GET", "HEAD"))
    assert heads == gets


def test_template_routes_do_not_have_wildcards(function: Function) -> None:
    for method, path in function.routes:
        assert method != "ANY", f"{path} takes any method"
        assert "+" not in path, f"{path} is greedy"


def test_route_belongs_to_one_function() -> None:
    routes = [route for function in functions() for route in function.routes]
    assert len(routes) == len(set(routes)), sorted(route for route in routes if routes.count(route) > 1)


def test_example_events_match_the_triggers(function: Function) -> None:
    files = sorted((EVENTS / function.name).glob("*.json"))
    shown = {trigger_of(json.loads(path.read_text())): relative(path) for path in files}
    assert function.triggers - shown.keys() == set(), "triggers without an example event"
    assert {file for trigger, file in shown.items() if trigger not in function.triggers} == set()


def test_event_folders_match_functions() -> None:
    folders = {path.name for path in EVENTS.iterdir()}
    assert folders <= {function.name for function in functions()}


def trigger_of(event: Json) -> Trigger:
    """The trigger of an event."""
    if "methodArn" in event:
        return ("authorizer",)
    if "httpMethod" in event:
        return "api", event["httpMethod"], event["resource"]
    if event["source"] == "aws.events":
        return ("schedule",)
    return "event", event["source"], event["detail-type"]


def test_scopes_table_has_every_route_that_needs_a_token() -> None:
    events = [event for function in functions() for event in function.properties.get("Events", {}).values()]
    routes = [event["Properties"] for event in events if event["Type"] == "Api"]
    private = {f"{route['Method']} {route['Path']}" for route in routes if "NONE" not in route.get("Auth", {}).values()}
    assert private == SCOPES.keys()
    assert all(SCOPES.values())
