"""Lambda: the functions of a plan, each with a pool of environments that start on demand and are reused."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.local.aws.arns import REGION
from tests.local.aws.presigned import SECRET
from tests.local.functions.invocation import PAYLOAD_LIMIT, EventTooLarge, Outcome, Sink, failure
from tests.local.functions.layout import Launch, Layout
from tests.local.functions.runtime import Environment
from tests.local.plan import FunctionPlan

_STOPPED = failure("Sandbox.Stopped", "The local stack was stopped.")


@dataclass
class Function:
    """The environments of a function: an idle one is reused, otherwise another is started, up to `limit`."""

    plan: FunctionPlan
    launch: Launch
    variables: Mapping[str, str]
    limit: int
    log: int
    grace: float = 0
    _all: list[Environment] = field(default_factory=list)
    _idle: list[Environment] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _stopped: bool = False

    def invoke(self, event: bytes, sink: Sink | None = None) -> Outcome:
        """Wait for an environment and for the outcome; raises EventTooLarge if the event is over 6 MB.

        A streamed response is sent to `sink`, or else is the outcome.
        """
        if len(event) > PAYLOAD_LIMIT:
            raise EventTooLarge
        while environment := self._take():
            outcome = environment.run(event, sink)
            self._give_back(environment)
            if outcome:
                return outcome
        return _STOPPED

    def stop(self) -> None:
        """Kill every environment; running invocations fail."""
        with self._changed:
            self._stopped = True
            environments = self._all
            self._changed.notify_all()
        for environment in environments:
            environment.stop()

    @property
    def environments(self) -> int:
        """The current number of environments."""
        return len(self._all)

    def _take(self) -> Environment | None:
        with self._changed:
            while not self._stopped:
                self._all = [environment for environment in self._all if environment.usable]
                while self._idle:
                    if (idle := self._idle.pop()).usable:
                        return idle
                if len(self._all) < self.limit:
                    return self._start()
                self._changed.wait()
        return None

    def _start(self) -> Environment:
        command = [*self.launch.interpreter, "-m", "awslambdaric", self.plan.handler]
        environment = Environment(self.plan, command, self.variables, self.launch.task_root, self.log, self.grace)
        self._all.append(environment)
        return environment

    def _give_back(self, environment: Environment) -> None:
        if not environment.usable:
            environment.stop()
        with self._changed:
            if environment.usable:
                self._idle.append(environment)
            self._changed.notify()


class Functions:
    """The functions of a template by logical id."""

    def __init__(
        self,
        plans: Mapping[str, FunctionPlan],
        layout: Layout,
        aws_url: str,
        limit: int,
        log: int,
        grace: float = 0,
    ) -> None:
        """Start no environment yet; each function has at most `limit` environments, which log to `log`.

        `grace` seconds are added to the timeouts of the plan.
        """
        self._functions = {
            name: Function(plan, layout.launch(plan), variables(plan, layout.launch(plan), aws_url), limit, log, grace)
            for name, plan in plans.items()
        }

    def __contains__(self, name: str) -> bool:
        """Whether a function of this name exists."""
        return name in self._functions

    def __getitem__(self, name: str) -> Function:
        """The function of this name; raises KeyError."""
        return self._functions[name]

    def invoke(self, name: str, event: bytes, sink: Sink | None = None) -> Outcome:
        """Invoke a function and wait for its outcome."""
        return self._functions[name].invoke(event, sink)

    def stop(self) -> None:
        """Kill every environment."""
        for function in self._functions.values():
            function.stop()


def variables(plan: FunctionPlan, launch: Launch, aws_url: str) -> dict[str, str]:
    """The environment variables of a function's process: those of Lambda and those of the template."""
    logging = plan.logging
    structured = {
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": logging.get("ApplicationLogLevel", "INFO"),
    }
    return {
        "AWS_LAMBDA_FUNCTION_NAME": plan.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(plan.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": plan.name,  # identifies the caller
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": SECRET,
        "AWS_ENDPOINT_URL": aws_url,
        "LAMBDA_TASK_ROOT": str(launch.task_root),
        "_HANDLER": plan.handler,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": ":".join(map(str, launch.import_path)),
        **(structured if logging.get("LogFormat") == "JSON" else {}),
        **dict(launch.extra_environment),
        **plan.environment,
    }
