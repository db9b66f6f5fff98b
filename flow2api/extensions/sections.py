"""Plugins' own sections of the settings: checked against what the plugin says they look like, and shown without secrets."""

from collections.abc import Mapping
from typing import Any

import msgspec

from flow2api.domain.errors import ConfigurationError
from flow2api.domain.secret import Secret
from flow2api.hookspecs import Section, SettingsSection

MASKED = "***"


def checked_section(declared: SettingsSection, given: Section) -> dict[str, Any]:
    """The section with its defaults, every value in its type; texts that stand for numbers are taken.

    Raises:
        ConfigurationError: A setting is unknown or wrong; its value is not told.
    """
    known = {field.encode_name: field.name for field in msgspec.structs.fields(declared.schema)}
    for name in given:
        if name not in known:
            raise ConfigurationError(
                f"There is no setting {name!r} in the section `{declared.name}`; there are {', '.join(known) or 'none'}."
            )
    try:
        settings = msgspec.convert(dict(given), declared.schema, strict=False, dec_hook=_hidden)
    except (msgspec.ValidationError, TypeError) as error:
        raise ConfigurationError(f"A setting of the section `{declared.name}` is wrong: {error}.") from error
    return {shown: getattr(settings, field) for shown, field in known.items()}


def masked(section: Section, *, is_declared: bool) -> dict[str, object]:
    """A section as it may be shown.

    Args:
        is_declared: The plugin has said which settings are secrets; otherwise each of them may be one.
    """
    return {name: _shown(value if is_declared else Secret(str(value))) for name, value in section.items()}


def _shown(value: object) -> object:
    match value:
        case Secret():
            return MASKED if len(value) else ""
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(name): _shown(one) for name, one in value.items()}
        case list() | tuple():
            return [_shown(one) for one in value]
        case _:
            return type(value).__name__


def _hidden(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"a value cannot be read as {kind.__name__}")
