"""From loose fields to typed ones, with complaints in OpenAI's words: which field, and what is wrong with it."""

import re
from collections.abc import Collection, Mapping
from typing import Final, TypeVar

import msgspec

from flow2api.adapters.openai_api.body import Body
from flow2api.domain.errors import UnsupportedInputError

T = TypeVar("T", bound=msgspec.Struct)

_LONGEST_QUOTE: Final = 200
_MOST_NAMED: Final = 32
_MISSING: Final = re.compile(r"missing required field `(?P<field>[^`]+)`")
_TYPE: Final = re.compile(r"^Expected `(?P<wanted>[^`]+)`, got `(?P<given>[^`]+)`$")

_JSON_WORDS: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "bytes": "file"}
"""What clients call the types; the other words are theirs already."""

SILENT_FIELDS: Final = frozenset(
    {"user", "safety_identifier", "metadata", "store", "service_tier", "prompt_cache_key", "moderation", "strict"}
)
"""Fields that promise nothing about the result, so that nobody misses them."""


def typed(body: Body, shape: type[T]) -> T:
    """The fields as ``shape`` wants them; fields that it does not name are left alone.

    In a form, numbers and booleans are read from text; in JSON a string for a number is an error, as OpenAI's.

    Raises:
        UnsupportedInputError: With the field's path as ``param`` and OpenAI's code for the kind of fault.
    """
    try:
        return msgspec.convert(body.fields, shape, strict=not body.is_text)
    except msgspec.ValidationError as cause:
        raise _complaint(str(cause)) from cause


def ignored_fields(fields: Mapping[str, object], known: Collection[str]) -> tuple[str, ...]:
    """A sentence for each field that has no effect; of very many, the first ones are named and the rest counted.

    Raises:
        UnsupportedInputError: There is such a field and the request says ``"strict": true``.
    """
    unknown = [
        name for name, value in fields.items() if value is not None and name not in known and name not in SILENT_FIELDS
    ]
    if unknown and fields.get("strict") in (True, "true", "True", "1"):
        name = unknown[0][:64]
        raise UnsupportedInputError(
            f"Refused because `strict` is set: `{name}` has no effect here.", param=name, code="unknown_parameter"
        )
    sentences = [f"`{name[:64]}` has no effect here and was ignored." for name in unknown[:_MOST_NAMED]]
    if len(unknown) > _MOST_NAMED:
        sentences.append(f"{len(unknown) - _MOST_NAMED:,} more fields have no effect here and were ignored.")
    return tuple(sentences)


def field_names(shape: type[msgspec.Struct]) -> frozenset[str]:
    """The names that a shape reads."""
    return frozenset(shape.__struct_encode_fields__)


def _complaint(text: str) -> UnsupportedInputError:
    what, at, where = text.rpartition(" - at `$")
    what, path = (what if at else text)[:_LONGEST_QUOTE], where.rstrip("`").lstrip(".") if at else ""
    if missing := _MISSING.search(what):
        param = f"{path}.{missing['field']}" if path else missing["field"]
        return UnsupportedInputError(
            f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
        )
    if wrong := _TYPE.match(what):
        wanted = " or ".join(_named(word) for word in wrong["wanted"].split(" | ") if word != "null")
        return UnsupportedInputError(
            f"Invalid type for '{path}': expected {wanted}, but got {_named(wrong['given'])} instead.",
            param=path or None,
            code="invalid_type",
        )
    return UnsupportedInputError(f"Invalid value for '{path}': {what}.", param=path or None)


def _named(word: str) -> str:
    return _JSON_WORDS.get(word, word)
