"""What an operator sets while the server runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from flow2api.domain.abridging import PromptLogging
from flow2api.domain.media import Retention


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Every option with its default. Names are public: the file, the environment and the console use them.

    Attributes:
        policy: Name of the selection policy.
        plugins: Names of plugins to enable beside those of the setting of this name; they come at the next start. A plugin that
            brings the storage has to stand in the setting.
        plugin_settings: Settings of plugins by their names, such as ``mine.colour``, as texts like those of the environment;
            they come at the next start. What the file or the environment sets goes before, and secrets have to stand
            there. In the environment as JSON.
        response_profile: How chat messages show results, for keys that have no profile of their own.
        image_timeout_s: How long one picture may take from its lease to its end.
        video_timeout_s: How long one clip may take from its submit to its end.
        enlarge_timeout_s: How long an enlargement may take on top.
        max_attempts: On how many accounts one generation is tried before anything is spent.
        error_threshold: Faults of its own in a row after which an account rests.
        retry_percent: How many retries on other accounts there may be, in a minute, for a hundred first tries; beyond it the
            error goes out.
        retries_per_min: How many retries there may be in any minute, however few first tries there were.
        max_running: How many generations may hold an account at once, over all accounts; 0 for any number. Those beyond it
            wait as for a busy account.
        requests_per_min: How many requests for pictures and videos each API key may begin in a minute, in all processes together;
            0 for any number. Repeats of a request that was begun do not count.
        model_routes: For a public name the models that serve it, in order, of any upstream: the next one is taken while those
            before it have no account free, also for a request that waits. A model's own name begins with that model. In the
            environment as JSON.
        models_off: Names of models that are not offered. With a name go the aliases that lead to it, and with the name of a
            whole line all its models.
        waiting_limit: How many generations may wait for a slot at once; 0 refuses at once.
        image_wait_s: How long a picture may wait for a slot, on however many accounts it is tried.
        video_wait_s: How long a video may wait for a slot, on however many accounts it is tried.
        poll_interval_s: The least time between two status calls for one account.
        poll_batch: How many operations one status call asks for.
        pictures_per_call: How many pictures of one request are asked of one account in one call.
        session_keepalive_h: How often every enabled account is exchanged at least.
        renewals_at_once: How many renewals of access tokens run at once.
        renewals_per_s: How many begin in a second at most.
        picture_urls: Whether pictures are fetched from https addresses that callers give.
        link_lifetime_s: How long a signed link in an answer is good for.
        chat_link_lifetime_s: The same for links in chat answers.
        image_retention_h: How long pictures are kept; 0 keeps them for ever.
        video_retention_h: How long videos are kept; 0 keeps them for ever.
        input_retention_h: How long pictures that callers send are kept; 0 keeps them for ever.
        media_room_mb: How much room for media there has to be before anything that costs credits is begun; 0 asks for none.
        health_days: How many days it is kept what each account went through; 0 keeps it for ever.
        idempotency_h: How long a repeated ``Idempotency-Key`` finds its first answer.
        time_zone: IANA name of the time zone whose days the statistics show; empty for the machine's.
        log_days: How many days the request log goes back; 0 keeps it for ever.
        statistics_days: How many days the figures by day go back; 0 keeps them for ever. Totals stay.
        log_prompts: What the request log and the debug log keep of prompts: ``off`` nothing, ``hash`` their SHA-256, ``full``
            all.
        log_bodies: Whether the request log keeps what was sent, 8 KiB of it, pictures as their size and SHA-256.
        debug_log: Whether upstream calls and the pool's decisions are written to ``debug.log`` in the data folder.
        background_renewal: Whether accounts are looked after before a request needs them; without it each is renewed by
            the request that meets it, and sessions that no request meets end.
        media_base_url: What links to media begin with, such as ``https://media.example.org``; empty for the address by
            which the server is reached.
        health_counts: Whether ``/health`` tells everybody how many accounts there are and how they stand.
        low_credits: Operators are told of an account that has fewer credits than this; 0 tells of none.
        notify_pause_s: How long after one message to operators the next one goes out at the earliest; what happens
            meanwhile is gathered in it.
        notify_repeat_s: How long operators are told nothing more about the same account, plan, upstream or proxy; what has
            changed by then is told at the end of it.
        private_webhooks: Whether webhooks may have addresses that are not on the public internet, and without TLS.
        delivery_days: How many days it is kept what became of each message to a webhook; 0 keeps it for ever.
        auto_enable_on_update: Whether a session token from the browser extension switches an account on again that you
            have switched off.
        proxy: Name of the proxy or the pool of proxies that accounts use which name none themselves; empty to go direct.
        media_proxy: The same for downloads of pictures and videos, which carry no credential; empty for the account's own,
            ``direct`` for none.
        proxy_selector: How a proxy of a pool is chosen for an account that has none yet, or whose own has failed.
        proxy_direct_fallback: Whether accounts may go direct while none of their proxies can be used.
        proxy_check_interval_s: How often each proxy is checked; 0 checks only those that are down.
        proxy_check_url: What is fetched to check a proxy.
    """

    policy: str = "least_busy"
    plugins: tuple[str, ...] = ()
    plugin_settings: Mapping[str, str] = field(default_factory=dict)
    response_profile: str = "standard"
    image_timeout_s: float = 300.0
    video_timeout_s: float = 1500.0
    enlarge_timeout_s: float = 1800.0
    max_attempts: int = 8
    error_threshold: int = 3
    retry_percent: float = 20.0
    retries_per_min: int = 20
    max_running: int = 0
    requests_per_min: int = 0
    model_routes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    models_off: tuple[str, ...] = ()
    waiting_limit: int = 1000
    image_wait_s: float = 60.0
    video_wait_s: float = 1800.0
    poll_interval_s: float = 3.0
    poll_batch: int = 500
    pictures_per_call: int = 1
    session_keepalive_h: float = 20.0
    renewals_at_once: int = 4
    renewals_per_s: float = 20.0
    picture_urls: bool = True
    link_lifetime_s: int = 3600
    chat_link_lifetime_s: int = 7 * 24 * 3600
    image_retention_h: float = 7 * 24.0
    video_retention_h: float = 7 * 24.0
    input_retention_h: float = 24.0
    media_room_mb: int = 256
    health_days: float = 30.0
    idempotency_h: float = 24.0
    time_zone: str = ""
    log_days: float = 30.0
    statistics_days: float = 400.0
    log_prompts: PromptLogging = "off"
    log_bodies: bool = False
    debug_log: bool = False
    background_renewal: bool = True
    media_base_url: str = ""
    health_counts: bool = True
    auto_enable_on_update: bool = False
    low_credits: int = 0
    notify_pause_s: float = 60.0
    notify_repeat_s: float = 1800.0
    private_webhooks: bool = False
    delivery_days: float = 7.0
    proxy: str = ""
    media_proxy: str = ""
    proxy_selector: str = "rendezvous"
    proxy_direct_fallback: bool = False
    proxy_check_interval_s: float = 300.0
    proxy_check_url: str = "https://www.gstatic.com/generate_204"

    @property
    def retention(self) -> Retention:
        """How long media is kept, as spans of time."""
        return Retention(
            image=_span(self.image_retention_h),
            video=_span(self.video_retention_h),
            input=_span(self.input_retention_h),
        )


class OptionSource(StrEnum):
    """Where the value of an option comes from."""

    SETTINGS = "settings"
    SET = "set"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionStanding:
    """An option as it stands now.

    Attributes:
        source: ``settings`` when the settings file or the environment fixes it, ``set`` when it was set while the server
            ran, ``default`` otherwise.
        choices: The values that there are, where they can be counted; else empty.
        fixed_by: The variable or the file that fixes it; empty when none does.
    """

    name: str
    value: Any
    default: Any
    source: OptionSource
    choices: tuple[str, ...] = ()
    fixed_by: str = ""


OF_OWNERS = frozenset(
    {
        "auto_enable_on_update",
        "log_bodies",
        "log_prompts",
        "media_base_url",
        "media_proxy",
        "plugin_settings",
        "plugins",
        "private_webhooks",
        "proxy",
        "proxy_check_url",
        "proxy_direct_fallback",
        "proxy_selector",
    }
)
"""Options that say where traffic and secrets go, or what is kept of what clients send: only owners set them from afar."""

_UNITS = {"_s": "seconds", "_h": "hours", "_days": "days", "_mb": "MiB", "_percent": "percent"}


def unit_of(name: str) -> str | None:
    """The unit that the name of an option ends in; None when it has none."""
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), None)


_LONGEST = {"_s": 100 * 365.0 * 24 * 3600, "_h": 100 * 365.0 * 24, "_days": 100 * 365.0}
"""A hundred years in each unit: what is longer reaches out of the calendar."""

_MOST = 1_000_000_000_000
_LEAST = {
    "image_timeout_s": 1,
    "video_timeout_s": 1,
    "enlarge_timeout_s": 1,
    "max_attempts": 1,
    "error_threshold": 1,
    "poll_batch": 1,
    "pictures_per_call": 1,
    "session_keepalive_h": 0.1,
    "renewals_at_once": 1,
    "renewals_per_s": 0.1,
    "link_lifetime_s": 1,
    "chat_link_lifetime_s": 1,
}
"""With less of these nothing would be made any more, or the upstream be asked without end."""


def bounds_of(name: str) -> tuple[float, float]:
    """The least and the greatest value that an option may have which is a number."""
    longest = next((most for unit, most in _LONGEST.items() if name.endswith(unit)), _MOST)
    return _LEAST.get(name, 0), longest


def _span(hours: float) -> timedelta | None:
    return timedelta(hours=hours) if hours > 0 else None
