"""Names of tools and of schemas that every provider accepts."""

import re

from instant.domain.errors import InvalidField
from instant.resource_types.model_settings import FUNCTION_NAME, ModelSettings

_FORM = "must have 1 to 64 characters of a-z, A-Z, 0-9, _ and -; providers accept no others"


def check_names(settings: ModelSettings, where: str = "config") -> None:
    """Reject names that no provider accepts, and tools of the same name; `InvalidField` names the field."""
    form = settings.response_format and settings.response_format.json_schema
    if form and not re.fullmatch(FUNCTION_NAME, form.name):
        raise InvalidField.named(f"{where}.response_format.json_schema.name", _FORM)
    names = [tool.function.name for tool in settings.tools or ()]
    for number, name in enumerate(names):
        field = f"{where}.tools.{number}.function.name"
        if not re.fullmatch(FUNCTION_NAME, name):
            raise InvalidField.named(field, _FORM)
        if name in names[:number]:
            raise InvalidField.named(field, f"is also the name of tools.{names.index(name)}; each tool needs its own")
