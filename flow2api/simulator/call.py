"""A request that was recognised as a call of the upstream."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from flow2api.simulator.accounts import Account
from flow2api.simulator.control_schema import Fault, FaultKind


@dataclass(slots=True)
class Call:
    """One request and what was found out about it.

    Attributes:
        name: Call name, see `flow2api.simulator.routes`.
        method: HTTP method.
        path: Path without the query.
        query: Raw query string.
        target: What the path names: a project, a media.
        bearer: The bearer token, if any.
        cookie: The session token, if any.
        api_key: The API key, if any.
        version: The version of the API that the path names, if it names one.
        content_type: The type of the body, if any.
        idempotency_key: The ``Idempotency-Key`` header, if any.
        via: The ``x-flow2api-via`` header, if any.
        range: The ``Range`` header, if any.
        body: The whole body.
        account: The account that its credentials or its media belong to.
        faults: Faults that hit it.
    """

    name: str
    method: str
    path: str
    query: str
    target: str = ""
    bearer: str | None = None
    cookie: str | None = None
    api_key: str | None = None
    version: str = ""
    content_type: str = ""
    idempotency_key: str | None = None
    via: str | None = None
    range: str | None = None
    body: bytes = b""
    account: Account | None = None
    faults: list[Fault] = field(default_factory=list)

    def fault(self, kind: FaultKind) -> Fault | None:
        """The fault of that kind that hits this call."""
        return next((fault for fault in self.faults if fault.kind == kind), None)

    def arguments(self) -> Mapping[str, str]:
        """The decoded query."""
        return dict(parse_qsl(self.query, keep_blank_values=True))
