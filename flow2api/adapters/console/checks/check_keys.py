"""The keys that checks make for themselves."""

import re
import secrets
from datetime import timedelta

from flow2api.domain.api_key import ApiKey
from flow2api.domain.audit import Actor
from flow2api.domain.key_rules import KeyRules
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_keys import ManageKeys

KEY_NAME = "connection check"
"""What their names begin with; the rest is chance."""

ALL_WITHIN_S = 1800.0
"""How long a check may take in all."""

SERVER = Actor(name="flow2api", door="start")
"""Who ends the keys of checks that nobody is there to end."""

_LIFE = timedelta(seconds=ALL_WITHIN_S + 60)
_LONGEST_LIFE = timedelta(hours=1)
_OWN_NAME = re.compile(rf"{KEY_NAME} [0-9a-f]{{8}}")


def is_of_check(key: ApiKey) -> bool:
    """Whether a check made this key for itself; one that a person has called so lives longer."""
    ends = key.rules.expires_at
    return ends is not None and ends - key.created_at <= _LONGEST_LIFE and _OWN_NAME.fullmatch(key.name) is not None


async def new_key(keys: ManageKeys, clock: Clock, actor: Actor) -> tuple[ApiKey, Secret]:
    """A key for one check, without the limit of clients, which ends by itself when the check would have been given up."""
    rules = KeyRules(requests_per_min=0, expires_at=clock.now() + _LIFE)
    return await keys.create(f"{KEY_NAME} {secrets.token_hex(4)}", rules=rules, actor=actor)


async def end_left_keys(keys: ManageKeys, clock: Clock, actor: Actor = SERVER, *, is_alone: bool) -> int:
    """Revoke keys of checks that the end of a process has cut off; how many those were.

    Args:
        is_alone: No other process is there that could have a check under way; else only those go whose time is over.
    """
    now = clock.now()
    left = [one for one in await keys.all() if one.is_active and is_of_check(one)]
    ended = [one for one in left if is_alone or not one.opens(now)]
    for key in ended:
        await keys.revoke(str(key.id), actor)
    return len(ended)
