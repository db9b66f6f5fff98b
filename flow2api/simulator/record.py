"""The record of every request, for assertions."""

import base64
import hashlib
from collections import Counter, deque
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from flow2api.simulator.accounts import AccountBook
from flow2api.simulator.call import Call
from flow2api.simulator.control_schema import Counters, RecordedRequest

LONG_STRING = 4096
PICTURE_FIELDS = frozenset({"rawImageBytes", "imageBytes", "data", "bytesBase64Encoded"})
KEPT_BODY_BYTES = 16 * 1024
KEPT_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Entry:
    """One request; what costs time is worked out only when it is asked for."""

    id: int
    at: float
    call: Call
    status: int
    took_ms: float
    body: Any


@dataclass(slots=True)
class RequestRecord:
    """The last requests and sums over all of them."""

    entries: deque[Entry] = field(default_factory=deque)
    calls: Counter[str] = field(default_factory=Counter)
    submits: int = 0
    polled_operations: int = 0
    count: int = 0
    body_bytes: int = 0

    def add(self, call: Call, status: int, at: float, took_ms: float, limit: int) -> None:
        """Notes a request; the oldest go when there are more than ``limit`` or their bodies grow too large."""
        self.count += 1
        body: Any = call.body
        if len(body) > KEPT_BODY_BYTES:
            body = readable(body)
            call.body = b""
        self.entries.append(Entry(self.count, at, call, status, took_ms, body))
        self.body_bytes += len(call.body)
        while len(self.entries) > limit or self.body_bytes > KEPT_BYTES:
            self.body_bytes -= len(self.entries.popleft().call.body)

    def find(self, pattern: str | None, account: str | None, after: int) -> list[RecordedRequest]:
        """The requests of a call name pattern and account with a greater id."""
        return [
            describe(entry)
            for entry in self.entries
            if entry.id > after
            and (pattern is None or fnmatchcase(entry.call.name, pattern))
            and (account is None or (entry.call.account is not None and entry.call.account.id == account))
        ]

    def sums(self, book: AccountBook) -> Counters:
        """Sums over all requests since the start."""
        accounts = {account.id: account.counters for account in book.accounts.values()}
        return Counters(
            calls=dict(self.calls),
            submits=self.submits,
            polls=self.calls["poll_videos"],
            polled_operations=self.polled_operations,
            exchanges=self.calls["exchange"],
            credits_spent=sum(entry.credits_spent for entry in accounts.values()),
            credits_returned=sum(entry.credits_returned for entry in accounts.values()),
            accounts=accounts,
        )


def describe(entry: Entry) -> RecordedRequest:
    """An entry as the control API shows it."""
    call = entry.call
    return RecordedRequest(
        id=entry.id,
        at=entry.at,
        call=call.name,
        method=call.method,
        path=call.path,
        query=call.query,
        account=call.account.id if call.account else None,
        status=entry.status,
        body=readable(entry.body) if isinstance(entry.body, bytes) else entry.body,
        authorization=fingerprint(call.bearer or call.api_key),
        cookie=fingerprint(call.cookie),
        faults=[fault.id for fault in call.faults],
        took_ms=entry.took_ms,
        idempotency_key=call.idempotency_key,
        via=call.via,
    )


def fingerprint(secret: str | None) -> str | None:
    """Enough of a hash to tell two secrets apart."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12] if secret else None


def readable(body: bytes) -> Any:
    """A JSON body with its long strings replaced by their size and hash; other bodies as such a replacement."""
    if not body:
        return None
    try:
        return shortened(msgspec.json.decode(body))
    except msgspec.DecodeError:
        return replacement(body)


def shortened(value: Any) -> Any:
    """A JSON value without long strings."""
    if isinstance(value, dict):
        return {key: picture(entry) if key in PICTURE_FIELDS else shortened(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [shortened(entry) for entry in value]
    if isinstance(value, str) and len(value) > LONG_STRING:
        return replacement(value.encode())
    return value


def picture(value: Any) -> Any:
    """The replacement of base64 text, by the bytes that it stands for."""
    try:
        return replacement(base64.b64decode(value, validate=True))
    except (ValueError, TypeError):
        return shortened(value)


def replacement(content: bytes) -> dict[str, Any]:
    """What stands for content that is too long to keep."""
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
