"""Hands out Google's official Gemini API as the upstream ``gemini``; its accounts are API keys."""

import re
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from typing import Annotated

import msgspec

from flow2api.adapters.gemini.caller import API_VERSION, BASE_URL, TimeLimits
from flow2api.domain.account import Account, CredentialKind
from flow2api.domain.base_url import check_base_setting
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.usecases.diagnose import CheckState, Finding
from flow2api.hookspecs import DoctorCheck, Examined, Section, SettingsSection, UpstreamFactory, hookimpl

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400, extra_json_schema={"unit": "seconds"})]
_LIMITS = TimeLimits()
_NONE_GOES_DIRECT = Finding(
    CheckState.OK,
    "All accounts of gemini use proxies, so nothing was asked; `flow2api proxies test` tries the proxies.",
)
_VERSION = re.compile(r"v[0-9][0-9a-z]*")


class GeminiSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The plugin's section of the settings.

    Attributes:
        base_url: The address of the API without its version, which keys are shown to; it is https unless it is on this
            machine.
        api_version: The version of the API, which stands next in its addresses, such as ``v1`` or ``v1beta``.
        imagen: Whether Imagen is still served there; Google's own API has ceased to serve it.
        max_proxies: How many proxies keep their connections open; those that were not used for longest lose them.
        connect_timeout_s: How long a connection may take to stand.
        short_timeout_s: How long the check of a key may take.
        picture_timeout_s: How long a call that makes pictures may take.
        submit_timeout_s: How long the call that begins a video may take.
        poll_timeout_s: How long a call that asks the state of a video may take.
        media_timeout_s: How long one whole download of a finished picture or video may take.
        media_idle_timeout_s: How long a download may bring nothing before it is given up.
    """

    base_url: str = BASE_URL
    api_version: Annotated[str, msgspec.Meta(pattern=r"^v[0-9][0-9a-z]{0,15}$")] = API_VERSION
    imagen: bool = False
    max_proxies: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 64
    connect_timeout_s: Seconds = _LIMITS.connect_s
    short_timeout_s: Seconds = _LIMITS.short_s
    picture_timeout_s: Seconds = _LIMITS.picture_s
    submit_timeout_s: Seconds = _LIMITS.submit_s
    poll_timeout_s: Seconds = _LIMITS.poll_s
    media_timeout_s: Seconds = _LIMITS.media_s
    media_idle_timeout_s: Seconds = _LIMITS.media_idle_s

    def __post_init__(self) -> None:
        _check_base(self.base_url)


def read_settings(section: Section) -> GeminiSettings:
    """The section as values; texts that stand for numbers are taken, for the environment has only texts.

    Raises:
        ConfigurationError: A setting is unknown or wrong.
    """
    try:
        return msgspec.convert(dict(section), GeminiSettings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"A setting of the section `gemini` is wrong: {error}.") from error


def _check_base(address: str) -> None:
    path = check_base_setting("gemini.base_url", address, "keys")
    if _VERSION.fullmatch(path.rstrip("/").rpartition("/")[2]):
        raise ConfigurationError(
            "The setting `gemini.base_url` must not end in a version; that is `gemini.api_version`."
        )


def build_gemini(section: Section, clock: Clock) -> Upstream:
    """The upstream as the section says; connects to nothing.

    Raises:
        ConfigurationError: A setting is unknown or wrong.
    """
    from flow2api.adapters.gemini.client import GeminiUpstream  # noqa: PLC0415 - most commands call nobody

    settings = read_settings(section)
    return GeminiUpstream(
        clock,
        base_url=settings.base_url.rstrip("/"),
        api_version=settings.api_version,
        serves_imagen=settings.imagen,
        max_proxies=settings.max_proxies,
        limits=TimeLimits(
            connect_s=settings.connect_timeout_s,
            short_s=settings.short_timeout_s,
            picture_s=settings.picture_timeout_s,
            submit_s=settings.submit_timeout_s,
            poll_s=settings.poll_timeout_s,
            media_s=settings.media_timeout_s,
            media_idle_s=settings.media_idle_timeout_s,
        ),
    )


@hookimpl
def register_upstreams() -> Iterable[UpstreamFactory]:
    """The upstream ``gemini``."""
    return [UpstreamFactory("gemini", build_gemini, CredentialKind.API_KEY)]


@hookimpl
def register_settings() -> Iterable[SettingsSection]:
    """Its section."""
    return [SettingsSection("gemini", GeminiSettings)]


@hookimpl
def register_doctor_checks() -> Iterable[DoctorCheck]:
    """Whether the API answers, and whether keys are taken there; each only where accounts have them."""
    return [
        DoctorCheck(name="reach gemini", look=reach, section="gemini", needs="database", is_online=True),
        DoctorCheck(name="keys of gemini", look=look_at_keys, section="gemini", needs="reach gemini", is_online=True),
    ]


async def reach(examined: Examined) -> Finding | None:
    """Whether somebody answers where the API is, if accounts are served there without a proxy."""
    from flow2api.adapters.probe import look_at_hosts  # noqa: PLC0415 - most commands call nobody

    accounts = await _direct_accounts(examined)
    if not accounts:
        return _NONE_GOES_DIRECT if accounts is not None else None
    return await look_at_hosts([read_settings(examined.section).base_url])


async def look_at_keys(examined: Examined) -> Finding | None:
    """Whether the keys of accounts that go direct are taken, by a call that costs nothing."""
    from flow2api.adapters.probe import look_at_account_keys  # noqa: PLC0415 - most commands call nobody

    accounts = await _direct_accounts(examined)
    if not accounts:
        return None
    upstream = build_gemini(examined.section, examined.clock)
    async with aclosing(upstream):
        return await look_at_account_keys(upstream, accounts, examined.backends().storage.vault)


async def _direct_accounts(examined: Examined) -> Sequence[Account] | None:
    from flow2api.adapters.probe import accounts_that_go_direct  # noqa: PLC0415 - most commands call nobody

    found = await examined.options()
    return await accounts_that_go_direct(examined.backends().storage, "gemini", found.options.proxy)
