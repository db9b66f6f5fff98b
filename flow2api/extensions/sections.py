"""Plugins' own sections of the settings: checked against what the plugin says they look like, and shown without secrets."""

import functools
import operator
import re
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import inspect

from flow2api.domain.errors import ConfigurationError
from flow2api.domain.secret import Secret
from flow2api.extensions.docstrings import about, of_each_field
from flow2api.hookspecs import Section, SettingsSection

MASKED = "***"

_ENUM_VALUE = re.compile(r"Invalid enum value '.*'(?=$| - at )", re.DOTALL)


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
        told = _ENUM_VALUE.sub("Invalid enum value", str(error))
        raise ConfigurationError(f"A setting of the section `{declared.name}` is wrong: {told}.") from error
    return {shown: getattr(settings, field) for shown, field in known.items()}


def read_setting(declared: SettingsSection, name: str, text: str) -> object:
    """The value of one setting of a section, as it may be shown.

    Args:
        text: As the environment would have it.

    Raises:
        ConfigurationError: There is none of this name, or this is no value of it; the value is not told.
    """
    types = {field.encode_name: field.type for field in msgspec.structs.fields(declared.schema)}
    if name not in types:
        raise ConfigurationError(f"There is no setting {name[:64]!r} in the section `{declared.name}`.")
    try:
        return _shown(msgspec.convert(_unpacked(text, types[name]), types[name], strict=False, dec_hook=_hidden))
    except (msgspec.ValidationError, msgspec.DecodeError, TypeError) as error:
        told = _ENUM_VALUE.sub("Invalid enum value", str(error))
        raise ConfigurationError(f"The setting `{declared.name}.{name}` is wrong: {told}.") from error


def secrets_of(declared: SettingsSection) -> frozenset[str]:
    """The settings of a section that are secrets, or hold some."""
    return frozenset(
        field.encode_name for field in msgspec.structs.fields(declared.schema) if _holds_secret(field.type, set())
    )


def needed_of(declared: SettingsSection) -> frozenset[str]:
    """The settings of a section that have no default."""
    return frozenset(field.encode_name for field in msgspec.structs.fields(declared.schema) if field.required)


def _holds_secret(kind: Any, met: set[Any]) -> bool:
    if kind is Secret:
        return True
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if kind in met:
            return False
        met.add(kind)
        return any(_holds_secret(field.type, met) for field in msgspec.structs.fields(kind))
    return get_origin(kind) is not Literal and any(_holds_secret(one, met) for one in get_args(kind))


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


def schema_of(declared: SettingsSection) -> dict[str, Any]:
    """What the section looks like, as a JSON Schema; secrets have the format ``password`` and no default.

    What a field is for is the description of its type, else what the struct's docstring says of it under ``Attributes:``.

    Raises:
        TypeError: A field has a type that no setting can have.
        NameError: A field names a type that there is not.
        RecursionError: A field leads to itself.
    """
    (schema,), components = msgspec.json.schema_components([_written(declared.schema, {})])
    described = components.pop(schema["$ref"].rpartition("/")[2])
    return {**described, "$defs": components} if components else described


def _written(kind: Any, made: dict[Any, Any]) -> Any:
    """The type as it is written down: a secret is a text then, whose default nobody is told.

    Args:
        made: Structs that were met before.
    """
    if kind is Secret:
        return Annotated[str, msgspec.Meta(extra_json_schema={"format": "password", "writeOnly": True})]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if kind not in made:
            made[kind] = _struct_as_written(kind, made)
        return made[kind]
    inner = get_args(kind)
    if not inner or get_origin(kind) is Literal:
        return kind
    if hasattr(kind, "__metadata__"):
        return Annotated[(_written(inner[0], made), *kind.__metadata__)]
    written = tuple(_written(one, made) for one in inner)
    origin: Any = get_origin(kind)
    return functools.reduce(operator.or_, written) if origin in (Union, UnionType) else origin[written]


def _struct_as_written(kind: type[msgspec.Struct], made: dict[Any, Any]) -> type[msgspec.Struct]:
    found, told = msgspec.structs.fields(kind), of_each_field(kind.__doc__)
    return msgspec.defstruct(
        kind.__name__,
        [(one.name, _told(_written(one.type, made), told.get(one.name, "")), _default_of(one)) for one in found],
        namespace={"__doc__": about(kind.__doc__)},
        rename={one.name: one.encode_name for one in found},
        tag=kind.__struct_config__.tag,
        forbid_unknown_fields=True,
        kw_only=True,
    )


def _told(kind: Any, text: str) -> Any:
    """The type with what is said of it, unless it says it itself."""
    says = any(getattr(one, "description", None) for one in getattr(kind, "__metadata__", ()))
    return Annotated[kind, msgspec.Meta(description=text)] if text and not says else kind


def _default_of(one: msgspec.structs.FieldInfo) -> Any:
    if one.required:
        return msgspec.field()
    if isinstance(one.default, Secret):
        return msgspec.field(default_factory=str)  # is not shown
    if one.default is msgspec.NODEFAULT:
        return msgspec.field(default_factory=one.default_factory)
    return one.default


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
