"""A look at the configured public address, and what it tells of the way there."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from flow2api.adapters.console.language import gettext, ngettext, retold
from flow2api.domain.errors import UpstreamUnavailableError
from flow2api.domain.ports.outside import LooksOutside, OutsideView
from flow2api.domain.ports.system import Clock

SEEN_PATH = "/seen"
"""Where its own requests come in again; strangers cannot know a token, and learn nothing."""

_WITHIN_S = 10.0
_KEPT = 16
_SOON_DAYS = 14


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that clients meet; ``kind`` is ``ok``, ``warn``, ``err`` or ``info``."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """How a request arrived that was sent to the public address."""

    scheme: str
    host: str
    address: str


@dataclass(frozen=True, slots=True)
class Look:
    """The last look at the public address."""

    at: datetime
    url: str
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class OutsideCheck:
    """Looks at the configured public address, and knows its own requests when they arrive here."""

    last: Look | None = None
    _awaited: "OrderedDict[str, Sighting | None]" = field(default_factory=OrderedDict, repr=False)

    async def look(self, public_url: str, look_outside: LooksOutside, clock: Clock) -> None:
        """Send two requests to the public address, and to nobody else; `last` has what they met."""
        url, token = public_url.rstrip("/"), secrets.token_urlsafe(24)
        self._awaited[token] = None
        while len(self._awaited) > _KEPT:
            self._awaited.popitem(last=False)
        try:
            view = await look_outside(f"{url}{SEEN_PATH}/{token}", timeout_s=_WITHIN_S)
            seen = self._awaited.pop(token, None)
            findings = _findings(url, view, seen)
            if seen is not None:
                media = await look_outside(f"{url}/media/media_none", timeout_s=_WITHIN_S)
                findings.append(_media_finding(media))
        except UpstreamUnavailableError as error:
            self._awaited.pop(token, None)
            findings = [Finding("err", retold(error.message))]
        self.last = Look(clock.now(), url, tuple(findings))

    def arrived(self, token: str, sighting: Sighting) -> bool:
        """Note how one of its requests came in; whether it is one at all."""
        if token not in self._awaited:
            return False
        self._awaited[token] = sighting
        return True


def _findings(url: str, view: OutsideView, seen: Sighting | None) -> list[Finding]:
    if seen is None:
        told = gettext("Something answers there with %(status)s, and it is not this server.") % {"status": view.status}
        return [Finding("err", told)]
    found = [Finding("ok", gettext("Reached in %(count)s ms.") % {"count": view.latency_ms})]
    days = view.certificate_days
    if days is not None:
        told = ngettext("The certificate is good for %(num)s day.", "The certificate is good for %(num)s days.", days)
        found.append(Finding("ok" if days > _SOON_DAYS else "warn", told % {"num": days}))
    host = urlsplit(url).netloc
    if seen.host != host:
        told = gettext("Requests arrive here for the host %(host)s; clients' addresses are right all the same.")
        found.append(Finding("info", told % {"host": seen.host[:200]}))
    found.append(Finding("info", gettext("This server takes %(address)s for the client.") % {"address": seen.address}))
    return found


def _media_finding(view: OutsideView) -> Finding:
    if view.status == 404 and view.request_id:
        return Finding("ok", gettext("Links to pictures and videos lead here."))
    told = gettext("What is under /media does not lead here (%(status)s): links to pictures will not open.")
    return Finding("err", told % {"status": view.status})
