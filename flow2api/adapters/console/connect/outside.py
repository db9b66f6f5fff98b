"""What a client elsewhere would see of this server, by the address that it is given."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from flow2api.adapters.console.checks.outside_check import SEEN_PATH, Finding, Sighting
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.policy import PAGE_HEADERS
from flow2api.adapters.console.visit import HttpRequest, Visit
from flow2api.domain.base_url import is_loopback

_FORWARDING = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded")


class SeenController(Controller):
    """Where the look at the public address comes in again; it answers nobody else."""

    path = SEEN_PATH

    @get("/{token:str}")
    async def seen(
        self, request: HttpRequest, doors: NamedDependency[ConsoleDoors], token: FromPath[str]
    ) -> Response[str]:
        """Note how the request arrived."""
        address = doors.address_of(request.scope)
        sighting = Sighting(request.scope["scheme"], request.headers.get("host", ""), address)
        if not doors.outside_check.arrived(token, sighting):
            raise NotFoundException
        return Response("", media_type="text/plain", headers=dict(PAGE_HEADERS))


def address_findings(visit: Visit) -> tuple[Finding, ...]:
    """What can be said of the address by which this page was reached, without asking anybody."""
    doors, parts = visit.doors, urlsplit(visit.reached_url)
    host = parts.hostname or ""
    found = [_scheme_finding(parts.scheme, host)]
    if doors.public_url:
        found.append(Finding("ok", gettext("It is the configured public address.")))
    else:
        found.append(
            Finding(
                "info",
                gettext("It follows the request: set public_url where clients use another address than this page."),
            )
        )
    if is_loopback(host):
        found.append(Finding("warn", gettext("Only programs on this machine can use it.")))
    elif _is_private(host):
        found.append(Finding("info", gettext("Only programs in the same network can use it.")))
    if proxy := _unbelieved_proxy(visit):
        found.append(
            Finding(
                "warn",
                gettext(
                    "A proxy at %(address)s tells who it forwards for, and is not believed: name it in trusted_proxies."
                )
                % {"address": proxy},
            )
        )
    links = doors.base_url_of(visit.request.scope)
    if urlsplit(links).netloc == parts.netloc:
        found.append(Finding("ok", gettext("Links to pictures and videos begin with it.")))
    else:
        found.append(Finding("info", gettext("Links to pictures and videos begin with %(url)s.") % {"url": links}))
    return tuple(found)


def _scheme_finding(scheme: str, host: str) -> Finding:
    if scheme == "https":
        return Finding("ok", gettext("Keys travel encrypted."))
    if is_loopback(host):
        return Finding("info", gettext("Keys travel in the clear, which is fine on one machine."))
    return Finding("warn", gettext("Keys travel in the clear: everybody on the way can read them. Put TLS in front."))


def _is_private(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host


def _unbelieved_proxy(visit: Visit) -> str:
    """The address of a proxy whose forwarding headers are passed over; empty when there is none."""
    request = visit.request
    if not any(name in request.headers for name in _FORWARDING) or request.client is None:
        return ""
    peer = request.client.host
    return peer if visit.doors.address_of(request.scope) == peer else ""
