"""Accounts and credentials as rows, and back."""

from typing import Any

import msgspec
from sqlalchemy import RowMapping

from flow2api.adapters.persistence.rows.base import to_instant, to_moment
from flow2api.domain.account import Account, AccountStatus, CallKind, Capacity, Credentials, Rest, Streak, Tier
from flow2api.domain.ports.secrets import Cipher

EMPTY = "[]"

FOR_EVER = 2**62
"""The end of a rest that time alone does not end, as an instant."""

_STANDING = {
    AccountStatus.DISABLED: "disabled_until",
    AccountStatus.SUSPENDED: "suspended_until",
    AccountStatus.COOLING_DOWN: "cooling_until",
}
_COLUMNS = tuple(_STANDING.items())

_encode = msgspec.json.Encoder().encode
_decode_tags = msgspec.json.Decoder(frozenset[str]).decode
_decode_streaks = msgspec.json.Decoder(tuple[Streak, ...]).decode
_decode_rests = msgspec.json.Decoder(tuple[Rest, ...]).decode


def account_to_row(account: Account) -> dict[str, Any]:
    """The columns of an account."""
    return {
        "id": account.id,
        "upstream": account.upstream,
        "name": account.name,
        "created_at": to_instant(account.created_at),
        "email": account.email,
        "remark": account.remark,
        "tier": None if account.tier is None else int(account.tier),
        "credits": account.credits,
        "image_capacity": account.capacity.image,
        "video_capacity": account.capacity.video,
        "tags": _encode(sorted(account.tags)).decode() if account.tags else EMPTY,
        "weight": account.weight,
        "priority": account.priority,
        "proxy": account.proxy,
        "workspace": account.workspace,
        "workspace_name": account.workspace_name,
        "access_expires_at": to_instant(account.access_expires_at),
        "access_obtained_at": to_instant(account.access_obtained_at),
        "rests": _encode(account.rests).decode() if account.rests else EMPTY,
        "streak": account.streak,
        "streaks": _encode(account.streaks).decode() if account.streaks else EMPTY,
        **standing_of(account),
        "search_text": search_text_of(account.email, account.name, account.remark),
    }


def search_text_of(email: str | None, name: str, remark: str) -> str:
    """What of an account is searched, without case."""
    return "\n".join((email or "", name, remark)).casefold()


def standing_of(account: Account) -> dict[str, int]:
    """Until when its rests keep it disabled, suspended and cooling down at all that it makes; 0 where they do not."""
    if not account.rests:
        return dict.fromkeys(_STANDING.values(), 0)
    return {column: min(_held_until(account, status, call) for call in account.makes) for status, column in _COLUMNS}


def _held_until(account: Account, status: AccountStatus, call: CallKind) -> int:
    held = (rest for rest in account.rests if rest.status is status and rest.model is None and rest.stops(call))
    return max((FOR_EVER if rest.until is None else to_instant(rest.until) for rest in held), default=0)


def row_to_account(row: RowMapping) -> Account:
    """The account of a row."""
    return Account(
        id=row["id"],
        upstream=row["upstream"],
        name=row["name"],
        created_at=to_moment(row["created_at"]),
        email=row["email"],
        remark=row["remark"],
        tier=None if row["tier"] is None else Tier(row["tier"]),
        credits=row["credits"],
        capacity=Capacity(row["image_capacity"], row["video_capacity"]),
        tags=frozenset() if row["tags"] == EMPTY else _decode_tags(row["tags"]),
        weight=row["weight"],
        priority=row["priority"],
        proxy=row["proxy"],
        workspace=row["workspace"],
        workspace_name=row["workspace_name"],
        access_expires_at=to_moment(row["access_expires_at"]),
        access_obtained_at=to_moment(row["access_obtained_at"]),
        rests=() if row["rests"] == EMPTY else _decode_rests(row["rests"]),
        streaks=() if row["streaks"] == EMPTY else _decode_streaks(row["streaks"]),
    )


def place_of(column: str, account_id: int) -> str:
    """What binds a sealed secret to its row and column."""
    return f"credentials.{column}:{account_id}"


def credentials_to_row(account_id: int, credentials: Credentials, cipher: Cipher) -> dict[str, Any]:
    """The columns of sealed credentials."""
    access_token = credentials.access_token
    return {
        "account_id": account_id,
        "session_token": cipher.seal(credentials.session_token, place=place_of("session_token", account_id)),
        "access_token": None
        if access_token is None
        else cipher.seal(access_token, place=place_of("access_token", account_id)),
        "expires_at": to_instant(credentials.expires_at),
        "obtained_at": to_instant(credentials.obtained_at),
        "token_digest": cipher.digest(credentials.session_token, purpose="session_token"),
    }


def row_to_credentials(row: RowMapping, cipher: Cipher) -> Credentials:
    """The credentials of a row, opened.

    Raises:
        ConfigurationError: They do not open.
    """
    account_id, access_token = row["account_id"], row["access_token"]
    return Credentials(
        session_token=cipher.open(row["session_token"], place=place_of("session_token", account_id)),
        access_token=None
        if access_token is None
        else cipher.open(access_token, place=place_of("access_token", account_id)),
        expires_at=to_moment(row["expires_at"]),
        obtained_at=to_moment(row["obtained_at"]),
    )
