"""Which form a file of accounts has, and reading it by that."""

import codecs
import io
from collections.abc import Sequence

import msgspec

from flow2api.adapters.account_files.lines import read_lines
from flow2api.adapters.account_files.rows import MOST_ROWS, read_rows, row_of
from flow2api.adapters.account_files.tables import read_table, separator_of, write_header, write_lines
from flow2api.domain.account import Account, Credentials
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.usecases.import_accounts import ImportedAccount

AUTO, JSON, CSV, LINES = "auto", "json", "csv", "lines"
FORMATS = (AUTO, JSON, CSV, LINES)

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def format_of(data: bytes) -> str:
    """The form by the first characters: JSON begins with a bracket, a table with a line that names columns."""
    text = data[:65_536].decode(_encoding(data), "ignore").lstrip()
    if not text or text[0] in "{[":
        return JSON
    return CSV if separator_of(text.splitlines()[0]) is not None else LINES


def read_accounts(data: bytes, form: str, kinds: CredentialKinds) -> list[ImportedAccount | str | None]:
    """The rows of a file: in a table and among lines, one for each line of the file.

    Args:
        form: One of `FORMATS`.
        kinds: The upstreams that a row may be of.

    Raises:
        UnsupportedInputError: The whole file is of another form, or has too many rows.
    """
    if form == AUTO:
        form = format_of(data)
    if form == JSON:
        return [*read_rows(_utf_8(data), kinds)]
    try:
        # Decoded as it is read, for the whole text would be in memory once more.
        with io.TextIOWrapper(io.BytesIO(data), _encoding(data), newline="") as file:
            rows = (read_table if form == CSV else read_lines)(file, kinds)
    except UnicodeDecodeError as error:
        raise UnsupportedInputError("The file is no text in UTF-8; save it as that, or give it as JSON.") from error
    if (many := sum(row is not None for row in rows)) > MOST_ROWS:
        raise UnsupportedInputError(f"The file has {many:,} rows, and {MOST_ROWS:,} are taken at once; split it.")
    return rows


class AccountWriter:
    """A file of accounts with their secrets in plain text, written a part at a time; importing it brings the same accounts."""

    def __init__(self, form: str, kinds: CredentialKinds) -> None:
        """Begin before the first account.

        Args:
            form: ``json`` or ``csv``.
        """
        self._is_table, self._kinds, self._is_first = form == CSV, kinds, True

    def begin(self) -> bytes:
        """What the file begins with."""
        return write_header() if self._is_table else b'{"tokens":['

    def part(self, accounts: Sequence[tuple[Account, Credentials]]) -> bytes:
        """These accounts."""
        if self._is_table:
            return write_lines(accounts, self._kinds)
        rows = [msgspec.json.encode(row_of(*one, self._kinds)) for one in accounts]
        before = b"" if self._is_first or not rows else b","
        self._is_first = self._is_first and not rows
        return before + b",".join(rows)

    def end(self) -> bytes:
        """What the file ends with; nothing may follow."""
        return b"" if self._is_table else b"]}\n"


def _encoding(data: bytes) -> str:
    return "utf-16" if data.startswith(_UTF_16) else "utf-8-sig"


def _utf_8(data: bytes) -> bytes:
    if not data.startswith(_UTF_16):
        return data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-16").encode()
    except UnicodeDecodeError as error:
        raise UnsupportedInputError("The file is no text in UTF-16, as it says; save it in UTF-8.") from error
