"""The file form of accounts: what ``accounts import`` takes in and ``accounts export`` writes.

The form is ``{"tokens": [row, …]}``, or the list alone. A row has what its upstream wants (``session_token``, ``api_key``,
or ``api_key`` and ``base_url``), and may have ``email``, ``name``, ``remark``, ``tags``, ``weight``, ``priority``, ``upstream`` (``flow`` without one), ``is_active``, ``image_enabled``, ``video_enabled``, and
``image_concurrency`` and ``video_concurrency``, where -1 is no limit. A kind that is not enabled gets no slots. What a
row does not say is left as it is, or takes the default in a new account. Other fields, ``access_token`` among them, are
passed over: an access token that came without its end is of no use, and the keeper gets a fresh one.
"""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from flow2api.adapters.account_files.splitting import split_rows
from flow2api.domain.account import Account, Credentials, RestReason
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases.import_accounts import ImportedAccount
from flow2api.domain.usecases.read_credential import GivenCredential

MOST_BYTES = 256 * 1024 * 1024
MOST_ROWS = 100_000

_UNLIMITED = -1

Slots = Annotated[int, msgspec.Meta(ge=_UNLIMITED, le=10_000)]


class AccountRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One account in the file."""

    session_token: str | None = None
    api_key: str | None = None
    base_url: str | None = None
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


def read_rows(data: bytes, kinds: CredentialKinds) -> list[ImportedAccount | str]:
    """The rows of a file; for one that cannot be read, the sentence that says why, without anything out of it.

    Args:
        kinds: The upstreams that a row may be of.

    Raises:
        UnsupportedInputError: The whole file is of another form, or has too many rows.
    """
    read: list[ImportedAccount | str] = []
    for count, value in enumerate(split_rows(data, "tokens"), 1):
        if count > MOST_ROWS:
            raise UnsupportedInputError(
                f"The file has more than {MOST_ROWS:,} rows, which are taken at once; split it."
            )
        read.append(_read_row(value, kinds))
    return read


def compose_rows(accounts: Iterable[tuple[Account, Credentials]], kinds: CredentialKinds) -> bytes:
    """A file with these accounts, their secrets in plain text; importing it brings the same accounts."""
    return msgspec.json.encode({"tokens": [row_of(account, credentials, kinds) for account, credentials in accounts]})


def row_of(account: Account, credentials: Credentials, kinds: CredentialKinds) -> AccountRow:
    """The account as a row that brings it again."""
    secret = credentials.session_token.reveal()
    # A host of its own has an account with a key only, even if the plugin that could tell is not installed here.
    has_key = kinds.of(account.upstream).has_key or account.base_url is not None
    return AccountRow(
        session_token=None if has_key else secret,
        api_key=secret if has_key else None,
        base_url=account.base_url,
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


def to_imported(row: AccountRow, kinds: CredentialKinds) -> ImportedAccount:
    """The row as an account.

    Args:
        kinds: The upstreams that a row may be of.

    Raises:
        UnsupportedInputError: What it signs in with or its upstream cannot be used; no secret is in the message.
    """
    if row.upstream not in kinds.by_upstream:
        raise UnsupportedInputError(f"There is no such upstream; there is {', '.join(sorted(kinds.by_upstream))}.")
    given = GivenCredential(row.session_token, row.api_key, row.base_url)
    secret, base_url = given.read(row.upstream, kinds)
    return ImportedAccount(
        session_token=secret,
        upstream=row.upstream,
        base_url=base_url,
        email=row.email or None,
        name=row.name,
        remark=row.remark,
        is_enabled=row.is_active,
        limits=dict(_limits(row)),
        tags=row.tags,
        weight=row.weight,
        priority=row.priority,
    )


def _read_row(value: object, kinds: CredentialKinds) -> ImportedAccount | str:
    try:
        return to_imported(msgspec.convert(value, AccountRow), kinds)
    except UnsupportedInputError as error:
        return error.message
    except msgspec.ValidationError as error:
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
