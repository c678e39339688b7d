"""The usage of one call, as counted by the service."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens, images and web searches of a call.

    `cached_tokens`, `cache_write_tokens` and `audio_tokens` are parts of `prompt_tokens`; `reasoning_tokens`,
    `image_output_tokens` and `audio_output_tokens` of `completion_tokens`. `images` are input images.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    audio_tokens: int = 0
    reasoning_tokens: int = 0
    image_output_tokens: int = 0
    audio_output_tokens: int = 0
    images: int = 0
    web_searches: int = 0

    @property
    def requests(self) -> int:
        """The number of requests: the usage is that of one."""
        return 1
