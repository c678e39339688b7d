"""An app with the usual parameters, deployed once per process and used by one test file after the other."""

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from unittest import mock

from moto import mock_aws

from tests.fakes.aws_stores import has_table
from tests.fakes.openrouter import FakeOpenRouter
from tests.integration.app import AWS, App, deployed


@dataclass
class _Deployment:
    """The deployment that consecutive users share."""

    app: App
    is_lent: bool = False

    def exists(self) -> bool:
        """Return whether the deployment still exists; each `deployed_app` resets the simulated cloud."""
        return has_table(self.app.name("EXECUTIONS_TABLE"))


_deployments: list[_Deployment] = []
"""The last deployment, if any."""


@contextmanager
def lend_app() -> Iterator[App]:
    """Return an empty app with cold functions to one user at a time.

    It is deployed on the first use, and again if the simulated cloud was reset.
    """
    cloud, is_deployed = mock_aws(), bool(_deployments and _deployments[-1].exists())
    cloud.start(reset=not is_deployed)
    try:
        with mock.patch.dict(os.environ, AWS), _lent(_deployments[-1] if is_deployed else _deploy()) as app:
            yield app
    finally:
        cloud.stop(remove_data=False)


@contextmanager
def _lent(deployment: _Deployment) -> Iterator[App]:
    assert not deployment.is_lent
    deployment.is_lent = True
    try:
        with replace(deployment.app, modules={}) as app:
            app.empty()
            yield app
    finally:
        deployment.is_lent = False


def _deploy() -> _Deployment:
    _stop_fakes()
    fake = FakeOpenRouter().start()
    _deployments.append(_Deployment(App(deployed(fake), fake)))
    return _deployments[-1]


@atexit.register
def _stop_fakes() -> None:
    while _deployments:
        _deployments.pop().app.fake.stop()
