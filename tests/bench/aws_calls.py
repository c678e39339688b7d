"""The AWS calls of one execution, without and with a cached key."""

from collections import Counter

from tests.bench.setup import EXECUTE, Row, Setup


def measure(setup: Setup) -> list[Row]:
    """The calls of the first and of the second execution in one process."""
    first, second = _calls(setup), _calls(setup)
    return [
        Row("AWS calls per execute, key cached", _summary(second), "7"),
        Row("… key not cached", _summary(first)),
    ]


def _calls(setup: Setup) -> list[tuple[str, str]]:
    stack = setup.world.stack
    stack.calls.clear()
    outcome = stack.functions.invoke(EXECUTE, setup.event)
    assert outcome.content["statusCode"] == 200, outcome.payload
    return stack.calls.of(EXECUTE)


def _summary(calls: list[tuple[str, str]]) -> str:
    counted = Counter(operation for _, operation in calls)
    names = (name if times == 1 else f"{times} {name}" for name, times in counted.items())
    return f"{len(calls)}: {', '.join(names)}"
