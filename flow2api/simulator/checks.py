"""What the played upstream insists on before it does anything."""

import re
from functools import lru_cache
from typing import TypeVar

import msgspec

from flow2api.simulator.accounts import Account
from flow2api.simulator.call import Call
from flow2api.simulator.catalog import ModelKey, may_use
from flow2api.simulator.errors import CallError
from flow2api.simulator.media import MediaItem
from flow2api.simulator.world import World

T = TypeVar("T")
UNKNOWN_FIELD = re.compile(r"unknown field `([^`]*)`(?: - at `\$?\.?([^`]*)`)?")


def read_body(call: Call, decoder: msgspec.json.Decoder[T]) -> T:
    """The body as its struct.

    Raises:
        CallError: 400 with the sentence of the upstream: not JSON, an unknown name, a wrong value.
    """
    try:
        return decoder.decode(call.body)
    except msgspec.ValidationError as error:
        raise CallError(400, message=complaint(str(error))) from error
    except msgspec.DecodeError as error:
        raise CallError(400, message=f"Invalid JSON payload received. {error}") from error


def complaint(problem: str) -> str:
    """A decoder's problem in the upstream's words."""
    if found := UNKNOWN_FIELD.search(problem):
        place = f" at '{found[2]}'" if found[2] else ""
        return f'Invalid JSON payload received. Unknown name "{found[1]}"{place}: Cannot find field.'
    return f"Invalid value. {problem}"


def bearer_account(world: World, call: Call) -> Account:
    """The account of a live bearer.

    Raises:
        CallError: 401.
    """
    if call.bearer is None:
        raise CallError(401, "CREDENTIALS_MISSING")
    entry = world.book.access(call.bearer)
    if entry is None or entry.dead or entry.account.knobs.grant_expired or world.clock.now() >= entry.expires_at:
        raise CallError(401)
    return entry.account


def generating_account(world: World, call: Call) -> Account:
    """The account of a live bearer that is not refused as a whole.

    Raises:
        CallError: 401; 403 with the reason for which it is refused.
    """
    account = bearer_account(world, call)
    if world.options.refuse_anti_abuse:
        raise CallError(403, "PUBLIC_ERROR_UNUSUAL_ACTIVITY", "reCAPTCHA evaluation failed")
    if account.knobs.refused_reason:
        raise CallError(403, account.knobs.refused_reason)
    return account


def own_project(account: Account, project: str | None) -> str:
    """A project of the account that is not deleted.

    Raises:
        CallError: 404.
    """
    if project is None or project not in account.projects:
        raise CallError(404)
    return project


def model_key(world: World, account: Account, name: str, ratio: str, modes: tuple[str, ...]) -> ModelKey:
    """What a model key may be asked for.

    Args:
        world: Where the keys of the era are.
        account: Who asks.
        name: The key.
        ratio: Aspect ratio without its prefix.
        modes: What the call can do; the key must be for one of them.

    Raises:
        CallError: 400 for an unknown key, a mode or ratio that does not fit; 403 for a tier that is too low.
    """
    key = world.model_keys[world.options.era].get(name)
    if key is None:
        raise CallError(400, message=f"Invalid value at model key: {name!r} is unknown.")
    if not set(modes).intersection(key.modes):
        raise CallError(400, message=f"The model {name!r} does not serve this kind of request.")
    if ratio not in key.ratios:
        raise CallError(400, message=f"The model {name!r} does not support the aspect ratio {ratio}.")
    if not may_use(account.knobs.tier, key.tier):
        raise CallError(403, "PUBLIC_ERROR_MODEL_ACCESS_DENIED")
    return key


def owned_media(world: World, account: Account, names: list[str], project: str | None) -> tuple[MediaItem, ...]:
    """The media that a call takes as input.

    Raises:
        CallError: 404 when one is not the account's (or the project's, from the 2026 eras on) or has expired.
    """
    era, now = world.options.era, world.clock.now()
    return tuple(world.kept.owned(name, account, project, era, now) for name in names)


def safe_prompt(world: World, prompt: str) -> str:
    """A prompt that is neither empty nor refused.

    Raises:
        CallError: 400.
    """
    if not prompt.strip():
        raise CallError(400, message="Invalid value: the prompt is empty.")
    if mentions(prompt, world.options.unsafe_word):
        raise CallError(400, "PUBLIC_ERROR_UNSAFE_GENERATION")
    return prompt


def mentions(prompt: str, word: str) -> bool:
    """Whether a prompt has this word, in any case; never for an empty word."""
    return bool(word) and _word(word).search(prompt) is not None


@lru_cache(maxsize=64)
def _word(word: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE)
