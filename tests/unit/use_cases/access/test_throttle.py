"""The routes of a function share a throttle, except for those with their own."""

from contextlib import AbstractContextManager, nullcontext

from instant.use_cases.access.throttle import Throttle, ThrottleByRoute


def test_throttle_uses_the_gate_of_a_route_or_the_default() -> None:
    passed: list[tuple[str, str, str, float]] = []

    def throttle_called(name: str) -> Throttle:
        def throttle(user_id: str, route: str, seconds_left: float) -> AbstractContextManager[None]:
            passed.append((name, user_id, route, seconds_left))
            return nullcontext()

        return throttle

    throttle = ThrottleByRoute(throttle_called("usual"), {"POST /b": throttle_called("special")})
    for number, route in enumerate(("GET /a", "POST /b")):
        with throttle("user_alice", route, number):
            pass
    assert passed == [("usual", "user_alice", "GET /a", 0), ("special", "user_alice", "POST /b", 1)]
