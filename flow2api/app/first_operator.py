"""The first operator of an installation that nobody sets up by hand."""

import asyncio
import os
import stat
from datetime import datetime
from pathlib import Path

import structlog

from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import ConfigurationError, ConflictError, UnsupportedInputError
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_operators import DEFAULT_NAME, ManageOperators
from flow2api.domain.usecases.offer_setup import check_own_code

log = structlog.get_logger(__name__)

_LONGEST_FILE = 4096
_ACTOR = "passphrase file"
_DOOR = "settings"


async def make_first_operator(manage: ManageOperators, passphrase_file: str, at: datetime) -> None:
    """Make the owner from the file, unless there is an operator; then the file is not even looked at.

    Args:
        passphrase_file: It holds the passphrase; white space around that does not count. Empty for none.
        at: What the audit log takes for now.

    Raises:
        ConfigurationError: The file cannot be read, others can read it, or its passphrase breaks a rule.
    """
    if not passphrase_file or await manage.all():
        return
    path = Path(passphrase_file)
    passphrase = await asyncio.to_thread(_read, path, "passphrase")
    try:
        made = await manage.create_first(DEFAULT_NAME, passphrase, _entry(at))
    except ConflictError:
        return  # another process was faster; it was given the same file
    except UnsupportedInputError as error:
        raise ConfigurationError(f"The passphrase in {path} cannot be used. {error.message}") from error
    log.info("made the first operator", name=made.name, role=made.role.value)


def _entry(at: datetime) -> AuditEntry:
    actor = Actor(name=_ACTOR, door=_DOOR)
    return AuditEntry(at=at, actor=actor, action=AuditAction.OPERATOR_CREATED, details={"name": DEFAULT_NAME})


def read_own_code(file: str) -> Secret:
    """The setup code in a file; white space around it does not count. Blocks.

    Raises:
        ConfigurationError: The file cannot be read, others can read it, or its code could be guessed.
    """
    code = _read(Path(file), "setup code")
    try:
        check_own_code(code)
    except UnsupportedInputError as error:
        raise ConfigurationError(f"The setup code in {file} cannot be used. {error.message}") from error
    return code


def _read(path: Path, what: str) -> Secret:
    try:
        with path.open("rb") as file:
            # The mode of the opened file, not of whatever stands there a moment later.
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(_LONGEST_FILE + 1)
    except OSError as cause:
        raise ConfigurationError(f"The {what} file {path} cannot be read: {cause.strerror}.") from cause
    if mode & 0o077:
        raise ConfigurationError(
            f"The {what} file {path} can be read by others (mode {mode:04o}). Close it with: chmod 600 {path}"
        )
    try:
        text = data.decode().strip()
    except UnicodeDecodeError as cause:
        raise ConfigurationError(f"The {what} file {path} is no UTF-8 text.") from cause
    if not text or len(data) > _LONGEST_FILE:
        raise ConfigurationError(f"The {what} file {path} holds no {what}: it is empty, or far too long.")
    return Secret(text)
