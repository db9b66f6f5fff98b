"""What stands on the page of a group beside its options: proxies, and where messages go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flow2api.adapters.console.forms import Form
from flow2api.adapters.console.language import gettext, retold
from flow2api.adapters.console.visit import Visit
from flow2api.domain.notification import NotifyTarget
from flow2api.domain.proxy import Proxy
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_webhooks import DEFAULT_KINDS
from flow2api.domain.webhook import SUBSCRIBABLE, Webhook


@dataclass(frozen=True, slots=True)
class State:
    """A state as a pill: icon and word."""

    kind: str
    symbol: str
    words: str


@dataclass(frozen=True, slots=True)
class ProxyRow:
    """A proxy, without its credentials."""

    name: str
    pool: str
    address: str
    is_enabled: bool
    state: State
    latency_ms: int | None
    checked_at: datetime | None
    egress: str
    fault: str


@dataclass(frozen=True, slots=True)
class ProxiesBeside:
    """The proxies.

    Attributes:
        pools: The names of pools, for the field that offers them.
        may_own: Whether the visitor may change them.
    """

    rows: Sequence[ProxyRow]
    pools: Sequence[str]
    may_own: bool


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A place where operators read messages, without its address."""

    id: int
    name: str
    service: str
    state: State
    sent_at: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A webhook, without its signing secret."""

    id: int
    name: str
    address: str
    events: Sequence[str]
    key: str
    is_enabled: bool
    state: State
    delivered_at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class MessagesBeside:
    """Where messages go.

    Attributes:
        kinds: What a webhook can be told, and whether the form says so.
        keys: The API keys that a webhook can be bound to, as id and name.
        signing: A new signing secret, shown this once.
    """

    targets: Sequence[TargetRow]
    webhooks: Sequence[WebhookRow]
    kinds: Sequence[tuple[str, bool]]
    keys: Sequence[tuple[str, str]]
    signing: str
    may_own: bool


async def beside(
    visit: Visit, group: str, form: Form | None = None, signing: Secret | None = None
) -> ProxiesBeside | MessagesBeside | None:
    """What belongs to a group; None for most."""
    if group == "proxies":
        return await _proxies(visit)
    return await _messages(visit, form or Form(), signing) if group == "notifications" else None


async def _proxies(visit: Visit) -> ProxiesBeside:
    known = await visit.doors.proxies.all()
    pools = sorted({one.pool for one in known if one.pool})
    rows = sorted((_proxy(one) for one in known), key=lambda row: (row.pool, row.name))
    return ProxiesBeside(rows, pools, visit.is_owner())


def _proxy(one: Proxy) -> ProxyRow:
    health = one.health
    return ProxyRow(
        name=one.name,
        pool=one.pool or "",
        address=one.address,
        is_enabled=one.is_enabled,
        state=_proxy_state(one),
        latency_ms=health.latency_ms,
        checked_at=health.checked_at,
        egress=health.egress or "",
        fault=retold(health.fault or ""),
    )


def _proxy_state(one: Proxy) -> State:
    if not one.is_enabled:
        return State("", "pause", gettext("Switched off"))
    return {
        "unknown": State("", "circle", gettext("Not checked yet")),
        "healthy": State("ok", "check", gettext("Works")),
        "suspect": State("warn", "triangle-alert", gettext("Fails at times")),
        "down": State("err", "x", gettext("Down")),
    }[one.health.state.value]


async def _messages(visit: Visit, form: Form, signing: Secret | None) -> MessagesBeside:
    doors = visit.doors
    keys = {key.id: key.name for key in await doors.keys.all()}
    chosen = form.every("events") or [kind.value for kind in DEFAULT_KINDS]
    return MessagesBeside(
        targets=[_target(one) for one in await doors.notify_targets.all()],
        webhooks=[_webhook(one, keys) for one in await doors.webhooks.all()],
        kinds=[(kind.value, kind.value in chosen) for kind in SUBSCRIBABLE],
        keys=[(str(key.id), key.name) for key in await doors.keys.all() if key.is_active],
        signing="" if signing is None else signing.reveal(),
        may_own=visit.is_owner(),
    )


def _target(one: NotifyTarget) -> TargetRow:
    if one.error:
        state = State("err", "x", gettext("Failed"))
    elif one.sent_at is not None:
        state = State("ok", "check", gettext("Works"))
    else:
        state = State("", "circle", gettext("Nothing sent yet"))
    return TargetRow(one.id, one.name, one.service, state, one.sent_at, retold(one.error))


def _webhook(one: Webhook, keys: dict[int, str]) -> WebhookRow:
    if not one.is_enabled:
        state = State("", "pause", gettext("Switched off"))
    elif one.failing_since is not None:
        state = State("err", "x", gettext("Failing"))
    elif one.delivered_at is not None:
        state = State("ok", "check", gettext("Works"))
    else:
        state = State("", "circle", gettext("Nothing sent yet"))
    key = "" if one.key_id is None else keys.get(one.key_id, str(one.key_id))
    return WebhookRow(
        id=one.id,
        name=one.name,
        address=one.shown,
        events=sorted(kind.value for kind in one.kinds),
        key=key,
        is_enabled=one.is_enabled,
        state=state,
        delivered_at=one.delivered_at,
        why=retold(one.disabled_why),
    )
