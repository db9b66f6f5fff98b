"""Accounts as a table in CSV: a header line that names the columns, in any order, and one account a line."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TextIO

from flow2api.adapters.account_files.rows import AccountRow, row_of, to_imported
from flow2api.domain.account import Account, Credentials
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.request_log import csv_safe
from flow2api.domain.usecases.import_accounts import ImportedAccount

COLUMNS = (
    "session_token", "api_key", "base_url", "email", "name", "remark", "upstream", "tags", "weight", "priority", "is_active", "image_enabled", "video_enabled",
    "image_concurrency", "video_concurrency",
)  # fmt: skip

SEPARATORS = ",;\t|"

_MOST_DIGITS = 9
_YES, _NO = frozenset({"true", "1", "yes", "y", "on"}), frozenset({"false", "0", "no", "n", "off"})
_ESCAPED = tuple(f"'{one}" for one in "=+-@\t\r")


def separator_of(first_line: str) -> str | None:
    """What separates the cells, if the line is a header that we know a column of; None when it is none."""
    best, most = None, 0
    for separator in SEPARATORS:
        known = len(_headings(first_line, separator) & set(COLUMNS))
        if known > most:
            best, most = separator, known
    return best


def read_table(file: TextIO, kinds: CredentialKinds) -> list[ImportedAccount | str | None]:
    """The accounts by line: None for the header, for empty lines and for further lines of one account.

    Raises:
        UnsupportedInputError: The header is none, or names a column twice.
    """
    header = file.readline()
    separator = separator_of(header)
    names = [] if separator is None else _split(header, separator)
    if not {"session_token", "api_key"} & set(names):
        raise UnsupportedInputError(
            f"The first line names neither session_token nor api_key; the columns are {', '.join(COLUMNS)}."
        )
    twice = sorted({name for name in names if name in COLUMNS and names.count(name) > 1})
    if twice:
        raise UnsupportedInputError(f"The first line names {', '.join(twice)} twice.")
    read: list[ImportedAccount | str | None] = [None]
    for first, after, cells in _records(file, separator or ","):
        read += [None] * (first - len(read))
        read.append(cells if isinstance(cells, str) else _account(names, cells, kinds))
        read += [None] * (after - first - 1)
    return read


def write_table(accounts: Iterable[tuple[Account, Credentials]], kinds: CredentialKinds) -> bytes:
    """The accounts with their secrets in plain text; no spreadsheet takes a cell for a formula."""
    return write_header() + write_lines(accounts, kinds)


def write_header() -> bytes:
    """The first line of a table."""
    return _written([COLUMNS])


def write_lines(accounts: Iterable[tuple[Account, Credentials]], kinds: CredentialKinds) -> bytes:
    """The lines behind it, as in `write_table`."""
    rows = (row_of(account, credentials, kinds) for account, credentials in accounts)
    return _written([_cell(getattr(row, name)) for name in COLUMNS] for row in rows)


def _written(lines: Iterable[Sequence[object]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(lines)
    return written.getvalue().encode()


def _records(lines: Iterable[str], separator: str) -> Iterator[tuple[int, int, list[str] | str]]:
    """Each record with its first line and the line after it, from 0 with the header; a sentence for a bad one."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield first, reader.line_num + 1, "The quotes of the line are wrong, or it is far too long."
            continue
        if any(cell.strip() for cell in cells):
            yield first, reader.line_num + 1, cells


def _account(names: Sequence[str], cells: Sequence[str], kinds: CredentialKinds) -> ImportedAccount | str:
    if len(cells) > len(names):
        return f"The line has {len(cells)} cells, and the first one names {len(names)}."
    given = {name: _unescaped(cell.strip()) for name, cell in zip(names, cells, strict=False) if name in COLUMNS}
    try:
        return to_imported(_row(given), kinds)
    except UnsupportedInputError as error:
        return error.message


def _row(given: Mapping[str, str]) -> AccountRow:
    """The row; an empty cell says nothing.

    Raises:
        UnsupportedInputError: A cell is not of its column's kind.
    """
    said = {name: cell for name, cell in given.items() if cell}
    return AccountRow(
        session_token=said.get("session_token"),
        api_key=said.get("api_key"),
        base_url=said.get("base_url"),
        email=said.get("email"),
        name=said.get("name"),
        remark=said.get("remark"),
        upstream=said.get("upstream", "flow"),
        tags=frozenset(said["tags"].replace(",", " ").replace(";", " ").split()) if "tags" in said else None,
        weight=_number("weight", said),
        priority=_number("priority", said),
        is_active=_flag("is_active", said),
        image_enabled=_flag("image_enabled", said),
        video_enabled=_flag("video_enabled", said),
        image_concurrency=_slots("image_concurrency", said),
        video_concurrency=_slots("video_concurrency", said),
    )


def _flag(column: str, said: Mapping[str, str]) -> bool | None:
    if column not in said:
        return None
    word = said[column].casefold()
    if word not in _YES | _NO:
        raise UnsupportedInputError(f"The column {column} says neither true nor false.", param=column)
    return word in _YES


def _number(column: str, said: Mapping[str, str]) -> int | None:
    if column not in said:
        return None
    if not said[column].isdecimal() or len(said[column]) > _MOST_DIGITS:
        raise UnsupportedInputError(f"The column {column} is no number.", param=column)
    return int(said[column])


def _slots(column: str, said: Mapping[str, str]) -> int | None:
    if column not in said:
        return None
    try:
        slots = int(said[column])
    except ValueError:
        slots = -2
    if not -1 <= slots <= 10_000:
        raise UnsupportedInputError(f"The column {column} is no number from -1 (no limit) to 10000.", param=column)
    return slots


def _split(header: str, separator: str) -> list[str]:
    try:
        cells = next(csv.reader([header], delimiter=separator, strict=True), [])
    except csv.Error:
        return []
    return [cell.strip().casefold().replace(" ", "_") for cell in cells]


def _headings(header: str, separator: str) -> set[str]:
    return set(_split(header, separator))


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, frozenset):
        return csv_safe(" ".join(sorted(value)))
    return csv_safe(value)


def _unescaped(cell: str) -> str:
    return cell[1:] if cell.startswith(_ESCAPED) else cell
