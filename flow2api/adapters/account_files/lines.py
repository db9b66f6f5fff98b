"""Accounts as plain lines: a session token, and its account's e-mail address before or behind it if you know it."""

import re
from typing import TextIO

from flow2api.adapters.account_files.rows import AccountRow, to_imported
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.usecases.import_accounts import ImportedAccount

_BETWEEN = re.compile(r"[\s,;|]+")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_MOST_PARTS = 2


def read_lines(file: TextIO, kinds: CredentialKinds) -> list[ImportedAccount | str | None]:
    """The accounts by line: None for empty lines and for those that begin with ``#``."""
    return [_read_line(line.strip(), kinds) for line in file]


def _read_line(line: str, kinds: CredentialKinds) -> ImportedAccount | str | None:
    if not line or line.startswith("#"):
        return None
    parts = [part for part in _BETWEEN.split(line) if part]
    emails = [part for part in parts if _EMAIL.fullmatch(part)]
    tokens = [part for part in parts if part not in emails]
    if len(parts) > _MOST_PARTS or len(tokens) != 1:
        return "The line is not one session token, with or without an e-mail address."
    try:
        return to_imported(AccountRow(session_token=tokens[0], email=emails[0] if emails else None), kinds)
    except UnsupportedInputError as error:
        return error.message
