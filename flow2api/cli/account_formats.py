"""Which form a file of accounts has, and reading it by that."""

import codecs
import io

from flow2api.cli.account_files import MOST_ROWS, read_rows
from flow2api.cli.account_lines import read_lines
from flow2api.cli.account_tables import read_table, separator_of
from flow2api.cli.failures import Failure
from flow2api.domain.credential_kinds import CredentialKinds
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
        Failure: The whole file is of another form, or has too many rows.
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
        raise Failure("The file is no text in UTF-8; save it as that, or give it as JSON.") from error
    if (many := sum(row is not None for row in rows)) > MOST_ROWS:
        raise Failure(f"The file has {many:,} rows, and {MOST_ROWS:,} are taken at once; split it.")
    return rows


def _encoding(data: bytes) -> str:
    return "utf-16" if data.startswith(_UTF_16) else "utf-8-sig"


def _utf_8(data: bytes) -> bytes:
    if not data.startswith(_UTF_16):
        return data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-16").encode()
    except UnicodeDecodeError as error:
        raise Failure("The file is no text in UTF-16, as it says; save it in UTF-8.") from error
