"""Hands out hosts that speak OpenAI's API for pictures and videos as the upstream ``openai``.

Each account names its own host by a base URL.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from typing import Annotated

import msgspec

from flow2api.adapters.openai_media.caller import TimeLimits
from flow2api.adapters.openai_media.model_records import ModelRecord, entries_of
from flow2api.domain.account import Account, CredentialKind
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.usecases.diagnose import CheckState, Finding
from flow2api.hookspecs import DoctorCheck, Examined, Section, SettingsSection, UpstreamFactory, hookimpl
from flow2api.libcurl.calls import MIB

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400, extra_json_schema={"unit": "seconds"})]
_LIMITS = TimeLimits()
_NONE_GOES_DIRECT = Finding(
    CheckState.OK,
    "All accounts of openai use proxies, so nothing was asked; `flow2api proxies test` tries the proxies.",
)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_FOREIGN_PICTURE_BYTES = 64 * MIB
_FOREIGN_PICTURE_S = 60.0


class OpenAiSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The plugin's section of the settings.

    Attributes:
        models: What the hosts offer: a list of tables, one for each model.
        media_hosts: Names of further hosts that finished media may be fetched from, over https and without a key.
        held_pictures_mb: How much memory input pictures may take while they wait to go out.
        max_proxies: How many proxies keep their connections open; those that were not used for longest lose them.
        connect_timeout_s: How long a connection may take to stand.
        short_timeout_s: How long a list of models, or a call that asks the state of a video, may take.
        picture_timeout_s: How long a call that makes pictures may take.
        submit_timeout_s: How long the call that begins a video may take.
        media_timeout_s: How long one whole download of a finished picture or video may take.
        media_idle_timeout_s: How long a download may bring nothing before it is given up.
    """

    models: tuple[ModelRecord, ...] = ()
    media_hosts: tuple[str, ...] = ()
    held_pictures_mb: Annotated[int, msgspec.Meta(ge=1, le=65_536, extra_json_schema={"unit": "MB"})] = 128
    max_proxies: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 64
    connect_timeout_s: Seconds = _LIMITS.connect_s
    short_timeout_s: Seconds = _LIMITS.short_s
    picture_timeout_s: Seconds = _LIMITS.picture_s
    submit_timeout_s: Seconds = _LIMITS.submit_s
    media_timeout_s: Seconds = _LIMITS.media_s
    media_idle_timeout_s: Seconds = _LIMITS.media_idle_s

    def __post_init__(self) -> None:
        wrong = next((host for host in self.media_hosts if not _HOST.fullmatch(host)), None)
        if wrong is not None:
            raise ConfigurationError(
                f"The setting `openai.media_hosts` has {wrong[:100]!r}; a host is a bare name such as cdn.example.org."
            )
        for record in self.models:
            for _ in entries_of(record):
                pass


def read_settings(section: Section) -> OpenAiSettings:
    """The section as values; texts that stand for numbers are taken.

    Raises:
        ConfigurationError: A setting is unknown or wrong.
    """
    try:
        return msgspec.convert(dict(section), OpenAiSettings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"A setting of the section `openai` is wrong: {error}.") from error


def build_openai(section: Section, clock: Clock) -> Upstream:
    """The upstream as the section says; connects to nothing.

    Raises:
        ConfigurationError: A setting is unknown or wrong.
    """
    # Most commands call nobody.
    from flow2api.adapters.fetch.picture_fetcher import GuardedFetcher  # noqa: PLC0415
    from flow2api.adapters.openai_media.client import OpenAiMediaUpstream  # noqa: PLC0415

    settings = read_settings(section)
    return OpenAiMediaUpstream(
        clock,
        GuardedFetcher(max_bytes=_FOREIGN_PICTURE_BYTES, timeout_s=_FOREIGN_PICTURE_S),
        models=[entry for record in settings.models for entry in entries_of(record)],
        limits=TimeLimits(
            connect_s=settings.connect_timeout_s,
            short_s=settings.short_timeout_s,
            picture_s=settings.picture_timeout_s,
            submit_s=settings.submit_timeout_s,
            media_s=settings.media_timeout_s,
            media_idle_s=settings.media_idle_timeout_s,
        ),
        media_hosts=settings.media_hosts,
        held_bytes=settings.held_pictures_mb * MIB,
        max_proxies=settings.max_proxies,
    )


@hookimpl
def register_upstreams() -> Iterable[UpstreamFactory]:
    """The upstream ``openai``."""
    return [UpstreamFactory("openai", build_openai, CredentialKind.API_KEY_AND_BASE_URL)]


@hookimpl
def register_settings() -> Iterable[SettingsSection]:
    """Its section."""
    return [SettingsSection("openai", OpenAiSettings)]


@hookimpl
def register_doctor_checks() -> Iterable[DoctorCheck]:
    """Whether the hosts of accounts answer, and whether keys are taken there; each only where accounts have them."""
    return [
        DoctorCheck(name="reach openai hosts", look=reach, section="openai", needs="database", is_online=True),
        DoctorCheck(
            name="keys of openai", look=look_at_keys, section="openai", needs="reach openai hosts", is_online=True
        ),
    ]


async def reach(examined: Examined) -> Finding | None:
    """Whether somebody answers at the base URLs of accounts, if accounts are served there without a proxy."""
    from flow2api.adapters.probe import look_at_hosts  # noqa: PLC0415 - most commands call nobody

    accounts = await _direct_accounts(examined)
    if not accounts:
        return _NONE_GOES_DIRECT if accounts is not None else None
    return await look_at_hosts(one.base_url for one in accounts if one.base_url is not None)


async def look_at_keys(examined: Examined) -> Finding | None:
    """Whether the keys of accounts that go direct are taken, by a call that costs nothing."""
    from flow2api.adapters.probe import look_at_account_keys  # noqa: PLC0415 - most commands call nobody

    accounts = await _direct_accounts(examined)
    if not accounts:
        return None
    upstream = build_openai(examined.section, examined.clock)
    async with aclosing(upstream):
        return await look_at_account_keys(upstream, accounts, examined.backends().storage.vault)


async def _direct_accounts(examined: Examined) -> Sequence[Account] | None:
    from flow2api.adapters.probe import accounts_that_go_direct  # noqa: PLC0415 - most commands call nobody

    found = await examined.options()
    return await accounts_that_go_direct(examined.backends().storage, "openai", found.options.proxy)
