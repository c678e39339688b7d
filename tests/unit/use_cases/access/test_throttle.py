"""Routes share the default throttle, except those with their own."""

from contextlib import AbstractContextManager, nullcontext

from instant.use_cases.access.throttle import Throttle, ThrottleByRoute


def test_throttle_by_route_uses_its_own_or_the_default() -> None:
    calls: list[tuple[str, str, str, float]] = []

    def named_throttle(name: str) -> Throttle:
        def throttle(user_id: str, route: str, seconds_left: float) -> AbstractContextManager[None]:
            calls.append((name, user_id, route, seconds_left))
            return nullcontext()

        return throttle

    throttle = ThrottleByRoute(named_throttle("usual"), {"POST /b": named_throttle("special")})
    for number, route in enumerate(("GET /a", "POST /b")):
        with throttle("user_alice", route, number):
            pass
    assert calls == [("usual", "user_alice", "GET /a", 0), ("special", "user_alice", "POST /b", 1)]
