"""A function's routes share a gate, except for those that have their own."""

from contextlib import AbstractContextManager, nullcontext

from instant.use_cases.access.throttle import ByRoute, Gate


def test_a_route_passes_its_own_gate_or_else_the_usual_one() -> None:
    passed: list[tuple[str, str, str, float]] = []

    def gate_called(name: str) -> Gate:
        def gate(user_id: str, route: str, seconds_left: float) -> AbstractContextManager[None]:
            passed.append((name, user_id, route, seconds_left))
            return nullcontext()

        return gate

    gate = ByRoute(gate_called("usual"), {"POST /b": gate_called("special")})
    for number, route in enumerate(("GET /a", "POST /b")):
        with gate("user_alice", route, number):
            pass
    assert passed == [("usual", "user_alice", "GET /a", 0), ("special", "user_alice", "POST /b", 1)]
