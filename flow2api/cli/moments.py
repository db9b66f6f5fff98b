"""Moments as people say them: a time ago, a day, an instant."""

import re
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

import click

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Moment(click.ParamType[str]):
    """``90m``, ``2026-11-23`` or ``2026-11-23T18:30``; read when the time zone is known."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if not _AGO.fullmatch(text):
            try:
                datetime.fromisoformat(text)
            except ValueError:
                self.fail(f"{text!r} is no moment; say 90m, 2h, 3d, 2026-11-23 or 2026-11-23T18:30.", param, ctx)
        return text


def moment_of(text: str, now: datetime, zone: tzinfo) -> datetime:
    """The moment that a text of `Moment` means; without an offset it is of this time zone."""
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    moment = datetime.fromisoformat(text)
    if len(text) <= len("2026-11-23"):
        moment = datetime.combine(moment, time())
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
