"""The fields of a request, whether they came as JSON or as a form."""

import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from flow2api.simulator.answer import encode
from flow2api.simulator.call import Call
from flow2api.simulator.openai_host.errors import HostError
from flow2api.simulator.record import replacement

_SIZE = re.compile(r"(\d{2,4})x(\d{2,4})")
_PART_NAME = re.compile(r'name="([^"]*)"')


@dataclass(slots=True)
class Fields:
    """What was sent.

    Attributes:
        values: By name; those of a form are texts.
        files: Name and bytes of each file, in order.
    """

    values: dict[str, Any]
    files: list[tuple[str, bytes]] = field(default_factory=list)

    def text(self, name: str) -> str | None:
        """A value as text; None when it was not sent.

        Raises:
            HostError: 400, it is no text.
        """
        value = self.values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise HostError(400, "invalid_type", f"Invalid type for '{name}': expected a string.", param=name)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number, which a form has as text.

        Raises:
            HostError: 400, it is none, or not within its bounds.
        """
        value = self.values.get(name, default)
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise HostError(400, "invalid_value", f"'{name}' must be from {least} to {most}.", param=name)
        return value

    def size(self, default: str) -> tuple[int, int]:
        """Width and height.

        Raises:
            HostError: 400.
        """
        text = self.text("size") or default
        found = _SIZE.fullmatch(default if text == "auto" else text)
        if found is None or min(int(found[1]), int(found[2])) < 64:
            raise HostError(400, "invalid_value", f"Invalid size '{text[:40]}'.", param="size")
        return int(found[1]), int(found[2])

    def refuse_unknown(self, known: frozenset[str]) -> None:
        """Refuse a field that the model does not know, so that a client notices its mistakes here.

        Raises:
            HostError: 400.
        """
        for name in self.values.keys() - known:
            raise HostError(400, "unknown_parameter", f"Unknown parameter: '{name}'.", param=name)


def read_fields(call: Call) -> Fields:
    """The fields of a request. What the record keeps of a form is replaced by its fields, with each file as size and hash.

    Raises:
        HostError: 400, it is neither JSON nor a form.
    """
    if call.content_type.startswith("multipart/form-data"):
        fields = _form(call.body, call.content_type)
        files = [{"name": name, **replacement(data)} for name, data in fields.files]
        call.body = encode({**fields.values, "_files": files})
        return fields
    try:
        values = msgspec.json.decode(call.body)
    except msgspec.DecodeError as error:
        raise HostError(400, None, "We could not parse the JSON body of your request.") from error
    if not isinstance(values, dict):
        raise HostError(400, "invalid_type", "The body must be an object.")
    return Fields(values)


def _form(body: bytes, content_type: str) -> Fields:
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    pieces = body.split(b"--" + boundary)
    if not boundary or len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise HostError(400, None, "The form could not be read.")
    fields = Fields({})
    for piece in pieces[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        found = _PART_NAME.search(head.decode("latin-1"))
        name, data = found[1] if found else "", content.removesuffix(b"\r\n")
        if b"filename=" in head:
            fields.files.append((name, data))
        else:
            fields.values[name] = data.decode(errors="replace")
    return fields
