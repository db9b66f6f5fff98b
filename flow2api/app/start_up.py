"""The start-up settings as operators may see them."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from flow2api.domain.redaction import HIDDEN, redact
from flow2api.domain.secret import Secret
from flow2api.domain.start_up import StartUpSetting
from flow2api.settings import Settings

_APART = frozenset({"sections", "options", "origins"})


def start_up_settings(settings: Settings) -> tuple[StartUpSetting, ...]:
    """Every setting in the order of the reference, then those of sections that were given. No secret is in them."""
    return (*_own(settings), *_of_sections(settings))


def _own(settings: Settings) -> Iterator[StartUpSetting]:
    plain = Settings()
    for field in fields(Settings):
        if field.name not in _APART:
            value, default = getattr(settings, field.name), getattr(plain, field.name)
            yield StartUpSetting(
                name=field.name,
                value=_shown(field.name, value),
                is_default=value == default,
                origin=settings.origins.get(field.name, ""),
            )


def _of_sections(settings: Settings) -> Iterator[StartUpSetting]:
    for section, values in sorted(settings.sections.items()):
        for name, value in sorted(values.items()):
            path = f"{section}.{name}"
            yield StartUpSetting(
                name=path, value=_shown(name, value), is_default=False, origin=settings.origins.get(path, "")
            )


def _shown(name: str, value: Any) -> str:
    if isinstance(value, Secret):
        return HIDDEN if len(value) else ""
    if isinstance(value, tuple | list):
        return ", ".join(str(redact(one)) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    # The paths of files that hold secrets are none.
    return str(redact(str(value), "" if name.endswith("_file") else name))
