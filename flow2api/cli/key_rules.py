"""Options of ``flow2api keys`` that say what a key may do, and how much."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click

from flow2api.domain.key_rules import KeyRules, KeyScope, scopes_named

P = ParamSpec("P")
R = TypeVar("R")

_ALL = "all"
_NEVER = "never"
_AS_THE_OPTION = "option"

_OPTIONS = [
    click.option(
        "--scope",
        "scopes",
        multiple=True,
        type=click.Choice([*(scope.value for scope in KeyScope), _ALL]),
        help="A part of the API that it opens; may be repeated.  [default: all]",
    ),
    click.option(
        "--model",
        "models",
        multiple=True,
        metavar="NAME",
        help="A model that it may use, or a pattern such as 'veo-*'; may be repeated. An empty one allows all.  [default: all]",
    ),
    click.option(
        "--expires",
        metavar="WHEN",
        help="When it stops to open anything: 2027-01-31, 2027-01-31T18:00 (UTC), or never.  [default: never]",
    ),
    click.option(
        "--requests-per-min",
        metavar="NUMBER",
        help="How many requests it may begin in a minute; 0 for any number, option for what the option says.  [default: option]",
    ),
    click.option(
        "--max-concurrent", type=int, help="How many of its generations may be under way at once; 0 for any number."
    ),
    click.option(
        "--max-per-day",
        type=int,
        help="How many pictures and videos it may have made in a day of UTC; 0 for any number.",
    ),
]

RulesChange = Callable[[KeyRules], KeyRules]


def rules_options(command: Callable[..., R]) -> Callable[..., R]:
    """The options, given to the command as one argument ``change``: what it makes of the rules of a key; None for nothing."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> R:
        names = ("scopes", "models", "expires", "requests_per_min", "max_concurrent", "max_per_day")
        asked = {name: kwargs.pop(name) for name in names}
        return command(*args, change=_change_of(asked), **kwargs)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _change_of(asked: dict[str, Any]) -> RulesChange | None:
    fields: dict[str, Any] = {}
    if asked["scopes"]:
        fields["scopes"] = scopes_named([] if _ALL in asked["scopes"] else asked["scopes"])
    if asked["models"]:
        fields["models"] = tuple(dict.fromkeys(name for one in asked["models"] if (name := one.strip())))
    if asked["expires"] is not None:
        fields["expires_at"] = _moment(asked["expires"])
    if asked["requests_per_min"] is not None:
        fields["requests_per_min"] = _per_min(asked["requests_per_min"])
    fields |= {name: asked[name] for name in ("max_concurrent", "max_per_day") if asked[name] is not None}
    return (lambda rules: replace(rules, **fields)) if fields else None


def _moment(text: str) -> datetime | None:
    if text.strip().lower() == _NEVER:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.UsageError(
            f"{text!r} is no time; write 2027-01-31, 2027-01-31T18:00, or never.",
        ) from None


def _per_min(text: str) -> int | None:
    if text.strip().lower() == _AS_THE_OPTION:
        return None
    try:
        return int(text)
    except ValueError:
        raise click.UsageError(f"--requests-per-min takes a number or `{_AS_THE_OPTION}`, not {text!r}.") from None
