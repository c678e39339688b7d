"""Matches paths to routes like API Gateway: literal segments before parameters."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.local.plan import Route


@dataclass(frozen=True)
class Match:
    """A route and the values of its path parameters, still percent-encoded."""

    route: Route
    parameters: dict[str, str]


class Routes:
    """The routes of one API."""

    def __init__(self, routes: Sequence[Route]) -> None:
        """Takes the routes; paths with more leading literal segments are tried first."""
        self._routes = sorted(((_segments(route.path), route) for route in routes), key=_rank)

    def find(self, method: str, path: str) -> Match | None:
        """The route for an encoded path; None for an unknown path or method."""
        asked = path.split("/")[1:]
        for segments, route in self._routes:
            if route.method in (method, "ANY"):
                parameters = _parameters(segments, asked)
                if parameters is not None:
                    return Match(route, parameters)
        return None


def _segments(path: str) -> list[str]:
    return path.split("/")[1:]


def _rank(entry: tuple[list[str], Route]) -> list[int]:
    return [0 if "{" not in segment else 2 if "+" in segment else 1 for segment in entry[0]]


def _parameters(segments: list[str], asked: list[str]) -> dict[str, str] | None:
    if segments[-1].endswith("+}") and len(asked) >= len(segments):
        last = len(segments) - 1
        asked = [*asked[:last], "/".join(asked[last:])]
    if len(segments) != len(asked):
        return None
    parameters = {}
    for segment, value in zip(segments, asked, strict=True):
        if segment.startswith("{") and value:
            parameters[segment.strip("{+}")] = value
        elif segment != value:
            return None
    return parameters
