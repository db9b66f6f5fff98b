"""What the description at ``/schema`` says of all routes alike: who gets in by what, and how errors look."""

from collections.abc import Iterable

from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Components, SecurityScheme

from flow2api.adapters.admin_api.errors import ErrorAnswer

SESSION = "session"
CONNECTION = "connection_token"

COMPONENTS = Components(
    security_schemes={
        SESSION: SecurityScheme(
            type="http", scheme="bearer", description="The token that /api/admin/login gives to an operator."
        ),
        CONNECTION: SecurityScheme(
            type="http", scheme="bearer", description="The connection token of the browser extension."
        ),
    }
)

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SENTENCES = {
    400: "The request cannot be used as it is; `detail` says what to change.",
    401: "Nobody is signed in, or what was presented opens nothing.",
    403: "The operator's role does not include this.",
    404: "There is nothing of this id.",
    409: "It is so already, or not in a state that allows this.",
    429: "There were too many tries; `Retry-After` says when the next one is looked at.",
    503: "The server cannot do this now, or has no operator yet.",
}


def describe_errors(handlers: Iterable[HTTPRouteHandler], scheme: str | None) -> None:
    """Have the description of these handlers name the errors that each may answer.

    Args:
        scheme: By which its callers get in; None for everybody.
    """
    for handler in handlers:
        handler.responses = {
            status: ResponseSpec(ErrorAnswer, generate_examples=False, description=_SENTENCES[status])
            for status in sorted(_statuses(handler, scheme))
        }


def _statuses(handler: HTTPRouteHandler, scheme: str | None) -> set[int]:
    changes = not handler.http_methods <= _SAFE
    statuses = {400} if changes or "{" in "".join(handler.paths) else set()
    if scheme is not None:
        statuses |= {401, 503} | ({403} if scheme == SESSION else set()) | ({409} if changes else set())
    elif changes:  # the sign-in
        statuses |= {401, 429, 503}
    if "{" in "".join(handler.paths):
        statuses.add(404)
    return statuses
