"""The local stack: runs the project's template on this machine, from the gateway to the tables."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import botocore.session
from botocore.config import Config

from tests.local.api.gateway import REQUEST_LIMIT, Gateway
from tests.local.api.server import Answer, Request, Server
from tests.local.aws.arns import REGION, last_part
from tests.local.aws.cloud import Cloud
from tests.local.aws.deployment import STACK, deploy
from tests.local.aws.endpoint import ADMIN, Aws
from tests.local.aws.events import Events
from tests.local.aws.permissions import Permissions
from tests.local.functions.deliveries import Deliveries
from tests.local.functions.invocation import Outcome
from tests.local.functions.layout import Layout, Source
from tests.local.functions.pool import Functions
from tests.local.plan import plan
from tests.local.template import Json, read
from tests.timeouts import HANG_SECONDS

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Source((ROOT, ROOT / "layers/core"))


class Stack:
    """A context manager that serves while it is entered and then ends all its processes.

    `url` is the URL of the API with its stage, `aws_url` the AWS endpoint of the functions. `permissions.used` contains
    `(function, action, resource)`, `calls.made` contains `(function, service, operation)`.
    """

    def __init__(
        self,
        *,
        template: Path = ROOT / "template.yaml",
        code: Layout = SOURCE,
        upstream_url: str = "",
        parameters: Mapping[str, str] | None = None,
        port: int = 0,
        gateway_timeout: float | None = None,
        grace: float = HANG_SECONDS,
        environments: int = 20,
        log: int = 2,
    ) -> None:
        """Each function has up to `environments` processes, which log to the file descriptor `log`.

        `gateway_timeout` replaces the time limits of the routes. Gateway and functions have `grace` seconds more than
        their time limits: with the default, a busy machine never reaches one. Parameters that the template does not
        declare are ignored.
        """
        self._template = template
        self._code = code
        openrouter = {
            "OpenRouterBaseUrl": upstream_url,
            "OpenRouterAuthUrl": upstream_url.removesuffix("/api/v1") + "/auth",
            "ConnectCallbackUrls": "http://localhost:3000/callback",
        }
        self._parameters = {"Stage": "local", **openrouter, **(parameters or {})}
        self._port = port
        self._gateway_timeout = gateway_timeout
        self._grace = grace
        self._environments = environments
        self._log = log
        self._session = botocore.session.get_session()

    def __enter__(self) -> Self:
        """Start the stack; raises OSError if the port is in use, ValueError if the template is not supported."""
        with ExitStack() as started:
            self._start(started)
            self._started = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the stack."""
        self._started.close()

    def _start(self, started: ExitStack) -> None:
        front = Server(_not_yet, self._port, REQUEST_LIMIT)  # first, because the port can be in use
        started.callback(front.stop)
        cloud = Cloud()
        started.callback(cloud.stop)
        server = Server(cloud.call)  # calls moto directly until the template is deployed
        started.callback(server.stop)
        self.aws_url = f"http://127.0.0.1:{server.port}"
        self._clients = started.enter_context(ExitStack())
        self.url = f"http://127.0.0.1:{front.port}/{self._parameters['Stage']}"
        outputs = {"ApiUrl": self.url}
        deployment = deploy(self.client("cloudformation"), read(self._template), self._parameters, outputs)
        self._create(deployment.alarms)
        self.plan = plan(deployment)
        self.permissions = Permissions({name: f.statements for name, f in self.plan.functions.items()})
        self.functions = Functions(
            self.plan.functions, self._code, self.aws_url, self._environments, self._log, self._grace
        )
        started.callback(self.functions.stop)
        self._deliveries = Deliveries(self.plan.functions, self.functions.invoke, self._send)
        started.callback(self._deliveries.stop)
        self._events = Events(self.plan.rules, self.plan.schedules, cloud.matching, self._deliveries.submit)
        aws = Aws(cloud.call, self.permissions, self._events, self.functions, self._deliveries)
        self.calls = aws.calls
        server.answer = aws.answer
        front.answer = Gateway(self.plan, self.functions.invoke, self._gateway_timeout, grace=self._grace).answer

    @property
    def admin(self) -> dict[str, str]:
        """The environment of a process that has all permissions and whose calls are not recorded."""
        secret = {"AWS_ACCESS_KEY_ID": ADMIN, "AWS_SECRET_ACCESS_KEY": ADMIN}
        return {"AWS_ENDPOINT_URL": self.aws_url, "AWS_DEFAULT_REGION": REGION, **secret}

    def client(self, service: str, endpoint_url: str | None = None, caller: str = ADMIN) -> Any:
        """A botocore client with all permissions, or with those of a function; closed with the stack."""
        client = self._session.create_client(
            service,
            region_name=REGION,
            endpoint_url=endpoint_url or self.aws_url,
            aws_access_key_id=caller,
            aws_secret_access_key=ADMIN,
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=50, read_timeout=HANG_SECONDS),
        )
        self._clients.callback(client.close)
        return client

    def environment(self, function: str) -> dict[str, str]:
        """The resolved environment variables of a function in the template."""
        return dict(self.plan.functions[function].environment)

    def invoke(self, function: str, event: Any, *, asynchronous: bool = False) -> Outcome:
        """The outcome of an invocation; for an asynchronous one, `null` at once (`settle` waits for its end)."""
        payload = json.dumps(event).encode()
        if not asynchronous:
            return self.functions.invoke(function, payload)
        self._deliveries.submit(function, payload)
        return Outcome(b"null")

    def fire(self, function: str) -> None:
        """Send a function its scheduled event; raises KeyError if it has no schedule."""
        self._events.fire(function)

    def settle(self, timeout: float = HANG_SECONDS) -> None:
        """Wait until no asynchronous invocation is in flight; raises TimeoutError."""
        self._deliveries.settle(timeout)

    def _create(self, alarms: Mapping[str, Json]) -> None:
        """Create the alarms, since moto's CloudFormation does not."""
        cloudwatch = self.client("cloudwatch")
        for name, alarm in alarms.items():
            numbers = {"AlarmName": f"{STACK}-{name}", "EvaluationPeriods": int(alarm["EvaluationPeriods"])}
            cloudwatch.put_metric_alarm(**alarm | numbers)

    def _send(self, function: str, queue: str, message: str) -> None:
        """Send a message with the permissions of the function, like Lambda."""
        url = self.client("sqs").get_queue_url(QueueName=last_part(queue))["QueueUrl"]
        self.client("sqs", caller=function).send_message(QueueUrl=url, MessageBody=message)


def _not_yet(request: Request) -> Answer:
    return Answer(503, [("Content-Type", "text/plain")], b"The local stack is starting.")
