"""Hands out Google Flow's labs protocol as the upstream ``flow``."""

from collections.abc import Iterable
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from flow2api.adapters.flow.caller import API_BASE_URL, LABS_BASE_URL, TimeLimits
from flow2api.domain.base_url import check_base_setting
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.usecases.diagnose import CheckState, Finding
from flow2api.hookspecs import DoctorCheck, Examined, Section, SettingsSection, UpstreamFactory, hookimpl

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400, extra_json_schema={"unit": "seconds"})]
_LIMITS = TimeLimits()


class FlowSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The plugin's section of the settings.

    Attributes:
        labs_base_url: The address that session tokens are shown to; it ends in ``/fx/api``, and is https unless it is
            on this machine.
        api_base_url: The address that access tokens are shown to; it ends in ``/v1``, and is https unless it is on this
            machine.
        era: The form of the service's protocol that is spoken.
        poll_batch_size: The most videos that one call asks the state of.
        max_proxies: How many proxies keep their connections open; those that were not used for longest lose them.
        connect_timeout_s: How long a connection may take to stand.
        short_timeout_s: How long the exchange of a token, a look at credits or a project, or a deletion may take.
        upload_timeout_s: How long one upload of an input picture may take.
        picture_timeout_s: How long a call that makes pictures may take.
        enlarge_timeout_s: How long a picture may take to be enlarged, or a look at joined videos, which brings them
            along.
        submit_timeout_s: How long the call that begins a video may take.
        poll_timeout_s: How long a call that asks the state of videos may take.
        media_timeout_s: How long one whole download of a finished picture or video may take.
        media_idle_timeout_s: How long a download may bring nothing before it is given up.
    """

    labs_base_url: str = LABS_BASE_URL
    api_base_url: str = API_BASE_URL
    era: Literal["seed", "2026-06"] = "2026-06"
    poll_batch_size: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 500
    max_proxies: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 64
    connect_timeout_s: Seconds = _LIMITS.connect_s
    short_timeout_s: Seconds = _LIMITS.short_s
    upload_timeout_s: Seconds = _LIMITS.upload_s
    picture_timeout_s: Seconds = _LIMITS.picture_s
    enlarge_timeout_s: Seconds = _LIMITS.enlarge_s
    submit_timeout_s: Seconds = _LIMITS.submit_s
    poll_timeout_s: Seconds = _LIMITS.poll_s
    media_timeout_s: Seconds = _LIMITS.media_s
    media_idle_timeout_s: Seconds = _LIMITS.media_idle_s

    def __post_init__(self) -> None:
        _check_base("labs_base_url", self.labs_base_url, "/fx/api")
        _check_base("api_base_url", self.api_base_url, "/v1")


def read_settings(section: Section) -> FlowSettings:
    """The section as values; texts that stand for numbers are taken, for the environment has only texts.

    Raises:
        ConfigurationError: A setting is unknown or wrong.
    """
    try:
        return msgspec.convert(dict(section), FlowSettings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"A setting of the section `flow` is wrong: {error}.") from error


def _check_base(name: str, address: str, ending: str) -> None:
    path = check_base_setting(f"flow.{name}", address, "session tokens")
    if not path.endswith(ending):
        raise ConfigurationError(f"The setting `flow.{name}` has to end in `{ending}`, without a slash after it.")


def build_flow(section: Section, clock: Clock) -> Upstream:
    """The upstream as the section says; connects to nothing.

    Raises:
        ConfigurationError: A setting is unknown or wrong.
    """
    from flow2api.adapters.flow.client import FlowUpstream  # noqa: PLC0415 - most commands call nobody

    settings = read_settings(section)
    return FlowUpstream(
        clock,
        labs_base_url=settings.labs_base_url,
        api_base_url=settings.api_base_url,
        era=settings.era,
        poll_batch_size=settings.poll_batch_size,
        max_proxies=settings.max_proxies,
        limits=TimeLimits(
            connect_s=settings.connect_timeout_s,
            short_s=settings.short_timeout_s,
            upload_s=settings.upload_timeout_s,
            picture_s=settings.picture_timeout_s,
            enlarge_s=settings.enlarge_timeout_s,
            submit_s=settings.submit_timeout_s,
            poll_s=settings.poll_timeout_s,
            media_s=settings.media_timeout_s,
            media_idle_s=settings.media_idle_timeout_s,
        ),
    )


@hookimpl
def register_upstreams() -> Iterable[UpstreamFactory]:
    """The upstream ``flow``."""
    return [UpstreamFactory("flow", build_flow)]


@hookimpl
def register_settings() -> Iterable[SettingsSection]:
    """Its section."""
    return [SettingsSection("flow", FlowSettings)]


@hookimpl
def register_doctor_checks() -> Iterable[DoctorCheck]:
    """Whether its addresses can be used, and, when asked for, whether somebody answers there."""
    return [
        DoctorCheck(name="upstream addresses", look=look_at_addresses, section="flow"),
        DoctorCheck(name="reach flow labs", look=reach_labs, section="flow", is_online=True),
        DoctorCheck(name="reach flow API", look=reach_api, section="flow", is_online=True),
    ]


async def look_at_addresses(examined: Examined) -> Finding:
    """Whether the addresses of the upstream have the right form; none of them is called."""
    flow = read_settings(examined.section)
    hosts = " and ".join(dict.fromkeys(_origin(address) for address in (flow.labs_base_url, flow.api_base_url)))
    return Finding(CheckState.OK, f"Flow is asked at {hosts}, in the era {flow.era}.")


async def reach_labs(examined: Examined) -> Finding:
    """Whether somebody answers where session tokens are exchanged."""
    return await _reach(_origin(read_settings(examined.section).labs_base_url))


async def reach_api(examined: Examined) -> Finding | None:
    """Whether somebody answers where generations are made, unless it is the same host."""
    flow = read_settings(examined.section)
    origin = _origin(flow.api_base_url)
    return None if origin == _origin(flow.labs_base_url) else await _reach(origin)


async def _reach(origin: str) -> Finding:
    from flow2api.adapters.probe import answers_at  # noqa: PLC0415 - most commands call nobody

    status = await answers_at(origin)
    return Finding(CheckState.OK, f"{origin} answers (status {status}).")


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
