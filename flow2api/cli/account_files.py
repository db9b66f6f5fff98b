"""The file form of accounts: what ``accounts import`` takes in and ``accounts export`` writes.

The form is ``{"tokens": [row, …]}``, or the list alone. A row has ``session_token``, and may have ``email``, ``name``,
``remark``, ``tags``, ``weight``, ``priority``, ``upstream`` (``flow`` without one), ``is_active``, ``image_enabled``, ``video_enabled``, and
``image_concurrency`` and ``video_concurrency``, where -1 is no limit. A kind that is not enabled gets no slots. What a
row does not say is left as it is, or takes the default in a new account. Other fields, ``access_token`` among them, are
passed over: an access token that came without its end is of no use, and the keeper gets a fresh one.
"""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from flow2api.cli.failures import Failure
from flow2api.domain.account import Account, Credentials, RestReason
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases.import_accounts import ImportedAccount
from flow2api.domain.usecases.manage_accounts import read_session_token

MOST_BYTES = 256 * 1024 * 1024
MOST_ROWS = 100_000

_UNLIMITED = -1

Slots = Annotated[int, msgspec.Meta(ge=_UNLIMITED, le=10_000)]


class AccountRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One account in the file."""

    session_token: str
    email: str | None = None
    name: str | None = None
    remark: str | None = None
    upstream: str = "flow"
    tags: frozenset[str] | None = None
    weight: int | None = None
    priority: int | None = None
    is_active: bool | None = None
    image_enabled: bool | None = None
    video_enabled: bool | None = None
    image_concurrency: Slots | None = None
    video_concurrency: Slots | None = None


class _Whole(msgspec.Struct):
    tokens: list[msgspec.Raw]


_decode_whole = msgspec.json.Decoder(_Whole | list[msgspec.Raw]).decode
_decode_row = msgspec.json.Decoder(AccountRow).decode


def read_rows(data: bytes, upstreams: Iterable[str]) -> list[ImportedAccount | str]:
    """The rows of a file; for one that cannot be read, the sentence that says why, without anything out of it.

    Args:
        upstreams: Names that a row may use.

    Raises:
        Failure: The whole file is of another form, or has too many rows.
    """
    try:
        whole = _decode_whole(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Failure(f'The file is not of the form {{"tokens": [...]}}: {error}.') from error
    rows = whole.tokens if isinstance(whole, _Whole) else whole
    if len(rows) > MOST_ROWS:
        raise Failure(f"The file has {len(rows):,} rows, and {MOST_ROWS:,} are taken at once; split it.")
    known = frozenset(upstreams)
    return [_read_row(raw, known) for raw in rows]


def compose_rows(accounts: Iterable[tuple[Account, Credentials]]) -> bytes:
    """A file with these accounts, their session tokens in plain text; importing it brings the same accounts."""
    return msgspec.json.encode({"tokens": [row_of(account, credentials) for account, credentials in accounts]})


def row_of(account: Account, credentials: Credentials) -> AccountRow:
    """The account as a row that brings it again."""
    return AccountRow(
        session_token=credentials.session_token.reveal(),
        email=account.email,
        name=account.name,
        remark=account.remark or None,
        upstream=account.upstream,
        tags=account.tags or None,
        weight=None if account.weight == 1 else account.weight,
        priority=account.priority or None,
        is_active=account.rest_of(RestReason.MANUAL) is None,
        image_enabled=account.capacity.image != 0,
        video_enabled=account.capacity.video != 0,
        image_concurrency=account.capacity.image or _UNLIMITED,
        video_concurrency=account.capacity.video or _UNLIMITED,
    )


def to_imported(row: AccountRow, upstreams: frozenset[str]) -> ImportedAccount:
    """The row as an account.

    Args:
        upstreams: Names that a row may use.

    Raises:
        UnsupportedInputError: Its session token or its upstream cannot be used; no secret is in the message.
    """
    if row.upstream not in upstreams:
        raise UnsupportedInputError(f"There is no such upstream; there is {', '.join(sorted(upstreams))}.")
    return ImportedAccount(
        session_token=read_session_token(row.session_token),
        upstream=row.upstream,
        email=row.email or None,
        name=row.name,
        remark=row.remark,
        is_enabled=row.is_active,
        limits=dict(_limits(row)),
        tags=row.tags,
        weight=row.weight,
        priority=row.priority,
    )


def _read_row(raw: msgspec.Raw, upstreams: frozenset[str]) -> ImportedAccount | str:
    try:
        return to_imported(_decode_row(raw), upstreams)
    except UnsupportedInputError as error:
        return error.message
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return f"{error}."


def _limits(row: AccountRow) -> Iterable[tuple[MediaKind, int | None]]:
    for kind, is_enabled, slots in (
        (MediaKind.IMAGE, row.image_enabled, row.image_concurrency),
        (MediaKind.VIDEO, row.video_enabled, row.video_concurrency),
    ):
        if is_enabled is False:
            yield kind, 0
        elif slots is not None:
            yield kind, None if slots == _UNLIMITED else slots
        elif is_enabled is True:
            yield kind, None
