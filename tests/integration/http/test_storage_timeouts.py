"""A call to AWS that times out, or that AWS has no capacity for, is a retryable error."""

import pytest

from tests.fakes.aws_faults import Fault, answer, failure, faults, lost_request
from tests.integration.app import App

ATTEMPTS = 3


@pytest.mark.parametrize(
    "fault",
    [lost_request, failure("ThrottlingException"), answer({"__type": "InternalServerError"}, 500)],
    ids=range(3),
)
def test_read_that_times_out_returns_503(seeded: App, fault: Fault) -> None:
    resource = seeded.resource()["resource_id"]
    for path, operation in ((f"/api/resources/{resource}", "GetItem"), ("/api/executions", "Query")):
        with faults(operation, *[fault] * ATTEMPTS) as calls:
            response = seeded.call("GET", path)
        assert len(calls.bodies) == ATTEMPTS
        assert (response.status, response.code) == (503, "upstream_unavailable"), response.text
        assert response.json["error"]["retryable"] is True
        assert response.headers["Retry-After"] == "1"
        assert seeded.call("GET", path).status == 200


def test_read_that_is_denied_returns_500(seeded: App) -> None:
    resource = seeded.resource()["resource_id"]
    with faults("GetItem", failure("AccessDeniedException")):
        response = seeded.call("GET", f"/api/resources/{resource}")
    assert (response.status, response.code) == (500, "internal")
