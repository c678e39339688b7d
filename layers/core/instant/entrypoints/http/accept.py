"""Content negotiation by `Accept` (RFC 9110, 12.5.1)."""

import re
from collections.abc import Iterator, Sequence

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

_WEIGHT = re.compile(r"(0(\.[0-9]{0,3})?|1(\.0{0,3})?)")


def accepted_type(app: APIGatewayRestResolver, offered: Sequence[str]) -> str:
    """The type among `offered` that the current request prefers; the first one if it accepts none."""
    headers = {name.lower(): values for name, values in (app.current_event.multi_value_headers or {}).items()}
    return preferred_type(",".join(headers.get("accept") or []), offered)


def preferred_type(accept: str, offered: Sequence[str]) -> str:
    """The offered type of the highest weight.

    Of equal weights, the type that is named more exactly is preferred, then the one that is named first. The first
    offered type is the default.
    """
    ranges = list(_ranges(accept))
    ranked = [(_rank(media_type, ranges), media_type) for media_type in offered]
    best = max((rank for rank, _ in ranked), default=_UNACCEPTED)
    return next(media_type for rank, media_type in ranked if rank == best) if best > _UNACCEPTED else offered[0]


type _Rank = tuple[float, int, int]
"""Weight, exactness, and the negative position in the header."""

_UNACCEPTED: _Rank = (0.0, 0, 0)


def _rank(media_type: str, ranges: Sequence[tuple[str, float]]) -> _Rank:
    """The rank by the most exact range that covers the type; a type of weight 0 is not accepted."""
    covering = [(_exactness(media_type, name), -place, weight) for place, (name, weight) in enumerate(ranges, start=1)]
    exactness, place, weight = max(covering, default=(0, 0, 0.0))
    return (weight, exactness, place) if exactness and weight else _UNACCEPTED


def _exactness(media_type: str, name: str) -> int:
    """How exactly a range names a type, 0 if not at all; each image type names an offered `image/*`."""
    kind = media_type.split("/")[0]
    if name == media_type or (media_type == f"{kind}/*" and name.startswith(f"{kind}/")):
        return 3
    return 2 if name == f"{kind}/*" else int(name == "*/*")


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """The media ranges in the header, in lower case, with their weights; an invalid weight is ignored."""
    for part in accept.lower().split(","):
        name, *parameters = (each.strip() for each in part.split(";"))
        weights = [
            value.strip() for key, _, value in (each.partition("=") for each in parameters) if key.strip() == "q"
        ]
        weight = float(weights[0]) if weights and _WEIGHT.fullmatch(weights[0]) else 1.0
        if name:
            yield name, weight
