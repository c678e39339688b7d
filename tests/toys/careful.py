"""A toy resource type with two requests: it reads the endpoints of a model, then calls one provider."""

import json
from dataclasses import replace

from instant.domain.errors import UpstreamUnavailable
from instant.domain.exchange import Request
from instant.domain.executions.failure import Failure
from instant.domain.executions.plan import Plan
from instant.integrations.openrouter.chat import read_chat
from instant.resource_types.openrouter_instant import OpenRouterInstant
from instant.resource_types.resource_type import Call, Flow


class Careful(OpenRouterInstant):
    """Its first request is free, so the execution is marked SENT before the second."""

    name = "careful"
    description = "Calls a model at a provider that serves it now."

    def plan(self, call: Call) -> Plan:
        """A plan whose first request reads the endpoints of the model; the options contain the chat request."""
        plan, model = super().plan(call), call.models[0].openrouter_id
        first = Request(method="GET", integration="openrouter", path=f"/models/{model}/endpoints", spends=False)
        chat = plan.request
        assert chat.body is not None
        options = {**plan.options, "body": json.loads(chat.body), "headers": dict(chat.headers)}
        return replace(plan, request=first, options=options)

    def flow(self, plan: Plan) -> Flow:
        """Read the endpoints, then send the chat request to the first provider."""
        listed = yield plan.request
        endpoints = json.loads(listed.body)["data"]["endpoints"] if listed.status == 200 else []
        if not endpoints:
            raise Failure(UpstreamUnavailable("No provider serves the model now. Retry later."))
        body = plan.options["body"]
        body = {**body, "provider": {**body["provider"], "only": [endpoints[0]["provider_name"]]}}
        reply = yield Request(
            method="POST",
            integration="openrouter",
            path="/chat/completions",
            body=json.dumps(body).encode(),
            headers=plan.options["headers"],
            id_header="x-generation-id",
        )
        return read_chat(reply, wants_json=plan.options["wants_json"])
