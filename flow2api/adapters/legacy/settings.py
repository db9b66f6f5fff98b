"""The old server's tables of settings, under whichever names a revision has for their columns."""

from collections.abc import Mapping

from flow2api.adapters.legacy import cells
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.legacy import LegacySettings
from flow2api.domain.proxy import read_proxy_url
from flow2api.domain.secret import Secret

_LONGEST_URL = 2048

SETTINGS_COLUMNS = {
    "proxy_config": ("enabled", "proxy_enabled", "proxy_url"),
    "generation_config": ("image_timeout", "video_timeout", "max_retries"),
    "cache_config": ("cache_enabled", "enabled", "cache_timeout", "timeout", "cache_base_url", "base_url"),
    "debug_config": ("enabled", "debug_enabled"),
    "admin_config": ("error_ban_threshold",),
}
"""What is read. User, password and key in ``admin_config`` are not."""


def settings_of(rows: Mapping[str, Mapping[str, object]]) -> LegacySettings:
    """What the first row of each table says, by the table's name."""

    def cell(table: str, *names: str) -> object:
        row = rows.get(table, {})
        return next((row[name] for name in names if row.get(name) is not None), None)

    url, address, fault = _proxy(cells.text(cell("proxy_config", "proxy_url"), _LONGEST_URL))
    return LegacySettings(
        proxy_url=url,
        proxy_address=address,
        proxy_fault=fault,
        is_proxy_used=cells.flag(cell("proxy_config", "enabled", "proxy_enabled")) is True,
        image_timeout_s=cells.number(cell("generation_config", "image_timeout")),
        video_timeout_s=cells.number(cell("generation_config", "video_timeout")),
        max_retries=cells.number(cell("generation_config", "max_retries")),
        error_threshold=cells.number(cell("admin_config", "error_ban_threshold")),
        is_cached=cells.flag(cell("cache_config", "cache_enabled", "enabled")) is True,
        cached_s=cells.number(cell("cache_config", "cache_timeout", "timeout")),
        base_url=cells.text(cell("cache_config", "cache_base_url", "base_url"), _LONGEST_URL) or None,
        is_debugged=cells.flag(cell("debug_config", "enabled", "debug_enabled")),
    )


def _proxy(text: str) -> tuple[Secret | None, str, str]:
    """The URL, what may be shown of it, and why it cannot be used."""
    if not text:
        return None, "", ""
    try:
        return *read_proxy_url(text), ""
    except UnsupportedInputError as error:
        return None, "", error.message
