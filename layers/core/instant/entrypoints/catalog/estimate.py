"""POST /api/models/estimate: request and response bodies."""

from collections.abc import Sequence
from typing import Annotated, TypedDict

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from instant.domain.catalog.model import why_unusable
from instant.domain.catalog.pricing import Usage
from instant.domain.errors import InvalidField
from instant.domain.money import usd_text
from instant.entrypoints.http.fields import Body, Choice, Usd, given
from instant.resource_types import why_unsupported
from instant.use_cases.catalog.estimate import Estimate, EstimateSort, PlannedCall, tokens_of

MAX_MODELS = 20

# Plain names: a number that a `type` statement names is not strict in a body that is.
Tokens = Annotated[int, Field(ge=0, le=10**9)]

Few = Annotated[int, Field(ge=0, le=1_000)]
ModelId = Annotated[str, StringConstraints(min_length=1, max_length=200)]

_PARTS = {
    "cached_tokens": "prompt_tokens",
    "cache_write_tokens": "prompt_tokens",
    "audio_tokens": "prompt_tokens",
    "reasoning_tokens": "completion_tokens",
    "image_output_tokens": "completion_tokens",
    "audio_output_tokens": "completion_tokens",
}
"""The token counts that are parts of another count."""


class EstimateBody(Body):
    """A call: its models, its prompt as text or as a number of tokens, its answer, and what may have another price."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {"oneOf": [given("model"), given("models")]},
                {"oneOf": [given("prompt"), given("prompt_tokens")]},
            ]
        }
    )

    model: ModelId | None = None
    models: Annotated[list[ModelId], Field(min_length=1, max_length=MAX_MODELS)] | None = None
    prompt: Annotated[str, StringConstraints(max_length=100_000)] | None = None
    prompt_tokens: Tokens | None = None
    completion_tokens: Tokens
    cached_tokens: Tokens = Field(0, description="Part of the prompt's tokens.")
    cache_write_tokens: Tokens = Field(0, description="Part of the prompt's tokens.")
    audio_tokens: Tokens = Field(0, description="Part of the prompt's tokens.")
    reasoning_tokens: Tokens = Field(0, description="Part of the completion's tokens.")
    image_output_tokens: Tokens = Field(0, description="Part of the completion's tokens.")
    audio_output_tokens: Tokens = Field(0, description="Part of the completion's tokens.")
    images: Few = Field(0, description="Input images; what they count in tokens belongs to the prompt's.")
    web_searches: Few = 0
    sort: Choice[EstimateSort] = EstimateSort.AS_GIVEN

    @model_validator(mode="after")
    def _says_each_once(self) -> "EstimateBody":
        if (self.model is None) == (self.models is None):
            raise ValueError("send model, or else models")
        if (self.prompt is None) == (self.prompt_tokens is None):
            raise ValueError("send prompt, or else prompt_tokens")
        return self

    @property
    def model_ids(self) -> list[str]:
        """The models to compare."""
        return self.models or [self.model or ""]

    def call(self) -> PlannedCall:
        """The call; raises `InvalidField` if the parts exceed their total."""
        whole = {"prompt_tokens": self._prompt_tokens(), "completion_tokens": self.completion_tokens}
        left = dict(whole)
        for part, of in _PARTS.items():
            left[of] -= getattr(self, part)
            if left[of] < 0:
                raise InvalidField.named(part, f"is a part of {of}, and the parts are more than that")
        parts = {part: getattr(self, part) for part in _PARTS}
        usage = Usage(**whole, **parts, images=self.images, web_searches=self.web_searches)
        longest = len((self.prompt or "").encode()) or whole["prompt_tokens"]
        return PlannedCall(usage=usage, max_prompt_tokens=longest)

    def _prompt_tokens(self) -> int:
        return tokens_of(self.prompt or "") if self.prompt_tokens is None else self.prompt_tokens


class CostEstimate(TypedDict):
    """The cost of a call on one model, by current catalog prices."""

    openrouter_id: str
    expected_usd: Annotated[Usd | None, Field(description="Null where the catalog has no price for it.")]
    worst_usd: Annotated[Usd | None, Field(description="Every tier the dearest, every byte of text a token.")]
    fits: Annotated[bool, Field(description="Whether prompt and completion fit the limits of the model.")]
    usable: Annotated[bool, Field(description="Whether a resource can use it.")]


class CostEstimates(TypedDict):
    """The cost of a call for each model."""

    prompt_tokens: Annotated[int, Field(description="As sent, or a quarter of the prompt's bytes.")]
    completion_tokens: int
    data: list[CostEstimate]


def estimates_view(call: PlannedCall, estimates: Sequence[Estimate]) -> CostEstimates:
    """The cost of a call for each model."""
    rows: list[CostEstimate] = [
        {
            "openrouter_id": estimate.model.openrouter_id,
            "expected_usd": usd_text(estimate.expected_nanousd),
            "worst_usd": usd_text(estimate.worst_nanousd),
            "fits": estimate.fits,
            "usable": why_unusable(estimate.model, why_unsupported) is None,
        }
        for estimate in estimates
    ]
    usage = call.usage
    return {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens, "data": rows}
