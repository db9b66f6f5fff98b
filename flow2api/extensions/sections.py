"""Plugins' own sections of the settings: checked against what the plugin says they look like, and shown without secrets."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import inspect

from flow2api.domain.errors import ConfigurationError
from flow2api.domain.secret import Secret
from flow2api.hookspecs import Section, SettingsSection

MASKED = "***"


def checked_section(declared: SettingsSection, given: Section) -> dict[str, Any]:
    """The section with its defaults, every value in its type.

    A text of the environment that stands for a number, a list or a table is taken: lists and tables are JSON, and a list of
    names may also stand with commas between them.

    Raises:
        ConfigurationError: A setting is unknown or wrong; its value is not told.
    """
    fields = msgspec.structs.fields(declared.schema)
    known = {field.encode_name: field.name for field in fields}
    types = {field.encode_name: field.type for field in fields}
    for name in given:
        if name not in known:
            raise ConfigurationError(
                f"There is no setting {name!r} in the section `{declared.name}`; there are {', '.join(known) or 'none'}."
            )
    try:
        values = {name: _unpacked(value, types[name]) for name, value in given.items()}
        settings = msgspec.convert(values, declared.schema, strict=False, dec_hook=_hidden)
    except (msgspec.ValidationError, msgspec.DecodeError, TypeError) as error:
        raise ConfigurationError(f"A setting of the section `{declared.name}` is wrong: {error}.") from error
    return {shown: getattr(settings, field) for shown, field in known.items()}


def _unpacked(value: Any, wanted: Any) -> Any:
    """A text of the environment in the form in which a file has a list or a table."""
    if not isinstance(value, str):
        return value
    known = inspect.type_info(wanted)
    kinds = known.types if isinstance(known, inspect.UnionType) else (known,)
    holders = [one for one in kinds if isinstance(one, inspect.CollectionType | inspect.DictType | inspect.StructType)]
    if not holders or any(isinstance(one, inspect.StrType) for one in kinds):
        return value
    text = value.strip()
    if text.startswith(("[", "{")) or not isinstance(holders[0], inspect.CollectionType):
        return msgspec.json.decode(text)
    return [part.strip() for part in text.split(",") if part.strip()]


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
        case list() | tuple() | set() | frozenset():
            return [_shown(one) for one in value]
        case msgspec.Struct():
            fields = msgspec.structs.fields(value)
            return {field.encode_name: _shown(getattr(value, field.name)) for field in fields}
        case _:
            return type(value).__name__


def _hidden(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"a value cannot be read as {kind.__name__}")
