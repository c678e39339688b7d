"""How often one execution asks AWS for something, the first time and once the key is remembered."""

from collections import Counter

from tests.bench.setting import EXECUTE, Row, Setting


def measure(setting: Setting) -> list[Row]:
    """The calls of a first and of a second execution in one process."""
    first, second = _calls(setting), _calls(setting)
    return [
        Row("AWS calls per execute, key cached", _summary(second), "7"),
        Row("… key not cached", _summary(first)),
    ]


def _calls(setting: Setting) -> list[tuple[str, str]]:
    stack = setting.world.stack
    stack.calls.clear()
    outcome = stack.functions.invoke(EXECUTE, setting.event)
    assert outcome.content["statusCode"] == 200, outcome.payload
    return stack.calls.of(EXECUTE)


def _summary(calls: list[tuple[str, str]]) -> str:
    counted = Counter(operation for _, operation in calls)
    names = (name if times == 1 else f"{times} {name}" for name, times in counted.items())
    return f"{len(calls)}: {', '.join(names)}"
