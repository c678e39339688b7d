"""The body of POST /api/models/estimate."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from instant.domain.errors import InvalidField
from instant.domain.pricing import Usage
from instant.entrypoints.bodies import Body, Choice, given
from instant.use_cases.estimate_cost import EstimateSort, PlannedCall, tokens_of

MOST_MODELS = 20

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
"""What is a part of what."""


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
    models: Annotated[list[ModelId], Field(min_length=1, max_length=MOST_MODELS)] | None = None
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
        """The call; `InvalidField` names a part that is more than its whole."""
        whole = {"prompt_tokens": self._prompt_tokens(), "completion_tokens": self.completion_tokens}
        left = dict(whole)
        for part, of in _PARTS.items():
            left[of] -= getattr(self, part)
            if left[of] < 0:
                raise InvalidField.named(part, f"is a part of {of}, and the parts are more than that")
        parts = {part: getattr(self, part) for part in _PARTS}
        usage = Usage(**whole, **parts, images=self.images, web_searches=self.web_searches)
        longest = len((self.prompt or "").encode()) or whole["prompt_tokens"]
        return PlannedCall(usage=usage, most_prompt_tokens=longest)

    def _prompt_tokens(self) -> int:
        return tokens_of(self.prompt or "") if self.prompt_tokens is None else self.prompt_tokens
