"""Makes and revokes keys to our API."""

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count

from flow2api.domain.api_key import KEY_PREFIX, VISIBLE_CHARACTERS, ApiKey
from flow2api.domain.audit import Actor, AuditAction, AuditEntry, differences
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError, NotKnownError, UnsupportedInputError
from flow2api.domain.key_rules import LONGEST_LIFE, NO_RULES, KeyRules
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import ApiKeys
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.authorize_key import API_KEY_PURPOSE
from flow2api.domain.usecases.manage_accounts import check_texts

_RANDOM_BYTES = 32
_LONGEST_NAME = 64
_SHORTEST_TEXT = 24
_LONGEST_TEXT = 256
_DISTINCT = 10
_VISIBLE_OF_OTHERS = 4
_LONGEST_OVERLAP = timedelta(days=366)
_TEXT = re.compile(r"[A-Za-z0-9._~+/=-]+")


class ManageKeys:
    """What an operator does with keys."""

    def __init__(
        self, api_keys: ApiKeys, cipher: Cipher, clock: Clock, profiles: Collection[str] = ("standard",)
    ) -> None:
        """Make it.

        Args:
            profiles: Names of the response profiles that there are.
        """
        self._profiles = profiles
        self._api_keys = api_keys
        self._cipher = cipher
        self._clock = clock

    @property
    def profiles(self) -> Sequence[str]:
        """The names of the response profiles that a key can have, sorted."""
        return sorted(self._profiles)

    async def create(
        self,
        name: str | None = None,
        *,
        tag: str | None = None,
        profile: str | None = None,
        rules: KeyRules = NO_RULES,
        actor: Actor | None = None,
    ) -> tuple[ApiKey, Secret]:
        """A new key and its text, which is shown this once and not kept.

        Args:
            name: None takes the first of ``key 1``, ``key 2``, … that no active key has.
            tag: The key may only use accounts with this tag; None or an empty one lets it use all.
            profile: Name of a response profile; None or an empty one for what the option says.
            rules: What it may do, and how much of it.
            actor: Who does it; the change and its audit entry are one.

        Raises:
            UnsupportedInputError: The name is empty, too long, unprintable, or a number, which could be taken for an id;
                or the tag is none, or there is no such profile, or the rules cannot be kept.
            ConflictError: An active key has this name.
        """
        free = _free_name({key.name for key in await self.all() if key.is_active}) if name is None else name
        name = _checked_name(free)
        rules.check(self._clock.now())
        text, prefix, digest = self._new_text()
        key = ApiKey(
            id=0,
            name=name,
            prefix=prefix,
            digest=digest,
            created_at=self._clock.now(),
            tag=_checked_tag(tag),
            profile=self._checked_profile(profile),
            rules=rules,
        )
        return await self._api_keys.add(key, self._made(actor, key)), text

    def _new_text(self) -> tuple[Secret, str, bytes]:
        """The text of a new key, its beginning that people see, and the digest under which it is kept."""
        text = KEY_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
        return Secret(text), text[:VISIBLE_CHARACTERS], self._cipher.digest(Secret(text), purpose=API_KEY_PURPOSE)

    async def all(self) -> Sequence[ApiKey]:
        """Every key, revoked ones included, oldest first."""
        return await self._api_keys.all()

    async def get(self, key_id: int) -> ApiKey:
        """The key with this id, revoked or not.

        Raises:
            NotKnownError: There is none.
        """
        found = next((key for key in await self._api_keys.all() if key.id == key_id), None)
        if found is None:
            raise NotKnownError(f"There is no key with the id {key_id}.")
        return found

    async def line_of(self, key: ApiKey) -> Sequence[ApiKey]:
        """This key and all others that count to its limits, revoked ones included, oldest first."""
        return [one for one in await self._api_keys.all() if one.line_id == key.line_id]

    async def check_active(self, key_id: int) -> None:
        """Refuse the id of a key that opens nothing.

        Raises:
            UnsupportedInputError: There is no active key with this id.
        """
        if not any(key.is_active and key.id == key_id for key in await self._api_keys.all()):
            raise UnsupportedInputError(f"There is no active key with the id {key_id}.", param="key_id")

    async def named(self, name: str) -> ApiKey | None:
        """The active key of this name."""
        return next((key for key in await self._api_keys.all() if key.is_active and key.name == name), None)

    async def set_text(self, name: str, text: str, actor: Actor) -> ApiKey:
        """Let this text be the active key of this name; the text that it had before opens nothing from now on.

        Raises:
            UnsupportedInputError: The text is too short or too simple to be a key, or no request could carry it.
            ConflictError: Another key has this text.
            ChangedMeanwhileError: Somebody else has changed the key in the same moment.
        """
        digest = self._cipher.digest(_checked_text(text), purpose=API_KEY_PURPOSE)
        known = await self.named(name)
        action = AuditAction.KEY_CREATED if known is None else AuditAction.KEY_CHANGED
        entry = AuditEntry(at=self._clock.now(), actor=actor, action=action, subject=name)
        if known is not None and known.digest == digest:
            return known
        if await self._api_keys.find(digest) is not None:
            raise ConflictError("Another key has, or had, this text. Choose another one.")
        prefix = text[: VISIBLE_CHARACTERS if text.startswith(KEY_PREFIX) else _VISIBLE_OF_OTHERS]
        if known is not None:
            changed = replace(known, prefix=prefix, digest=digest)
            await self._api_keys.save(changed, entry, former=known)
            return changed
        key = ApiKey(id=0, name=name, prefix=prefix, digest=digest, created_at=self._clock.now())
        return await self._api_keys.add(key, entry)

    async def update(
        self,
        which: str,
        *,
        name: str | None = None,
        tag: str | None = None,
        profile: str | None = None,
        rules: KeyRules | None = None,
        actor: Actor | None = None,
        seen: ApiKey | None = None,
    ) -> ApiKey:
        """Change the active key with this name or id; what is None stays.

        Args:
            tag: An empty one lets the key use all accounts.
            profile: An empty one has answers written as the option says; the one that the key has may stay in any case.
            rules: All of them, those that stay included.
            seen: The key as it was when the change was thought of; None for as it is now.

        Raises:
            UnsupportedInputError: The name, the tag, the profile or the rules cannot be used.
            NotKnownError: There is no such active key.
            ChangedMeanwhileError: Somebody else has changed or revoked it meanwhile; nothing was changed here.
            ConflictError: Another one has the name.
        """
        now = await self.active(which)
        key = now if seen is None else seen
        if rules is not None and rules != key.rules:
            # A date that is past already may stay while something else is changed.
            kept = replace(rules, expires_at=None) if rules.expires_at == key.rules.expires_at else rules
            kept.check(self._clock.now())
        changed = replace(
            key,
            name=key.name if name is None else _checked_name(name),
            tag=key.tag if tag is None else _checked_tag(tag),
            profile=key.profile if profile in (None, key.profile) else self._checked_profile(profile),
            rules=key.rules if rules is None else rules,
        )
        if changed != key:
            told = differences(_told(key), _told(changed))
            await self._api_keys.save(changed, self._entry(actor, AuditAction.KEY_CHANGED, told, key), former=key)
        return changed

    async def rotate(
        self, which: str, actor: Actor | None = None, *, overlap: timedelta | None = None
    ) -> tuple[ApiKey, Secret]:
        """A new key in the place of the active one with this name or id: the same name, tag, profile and rules, another text.

        The former one is called ``NAME (old)`` from now on and goes on opening what it did, so that clients can be moved one by
        one; both count to one set of limits. One that was made to expire has a successor that lives as long from now on as it
        did. Both are written in one step.

        Args:
            overlap: How long the former one goes on; None until it is revoked, or expires as it would have.

        Raises:
            NotKnownError: There is no such active key.
            UnsupportedInputError: The overlap is none.
            ChangedMeanwhileError: Somebody else has changed, rotated or revoked it in the same moment.
        """
        key, now = await self.active(which), self._clock.now()
        if overlap is not None and not timedelta() < overlap <= _LONGEST_OVERLAP:
            raise UnsupportedInputError("The former key goes on for more than 0 and at most 366 days.", param="overlap")
        end = None if overlap is None else now + overlap
        expires_at = key.rules.expires_at
        life = None if expires_at is None else min(expires_at - key.created_at, LONGEST_LIFE)
        rules = key.rules if life is None else replace(key.rules, expires_at=now + life)
        taken = {one.name for one in await self.all() if one.is_active}
        former = replace(
            key,
            name=_name_of_former(key.name, taken),
            rules=replace(key.rules, expires_at=min(filter(None, (expires_at, end)), default=None)),
        )
        text, prefix, digest = self._new_text()
        # What the former one had is not looked at anew: what cannot be chosen any more may go on.
        successor = replace(
            key,
            id=0,
            prefix=prefix,
            digest=digest,
            created_at=now,
            last_used_at=None,
            rules=rules,
            first_id=key.line_id,
        )
        told = differences(_told(key), _told(former))
        entries = [self._entry(actor, AuditAction.KEY_CHANGED, told, key), self._made(actor, successor)]
        audits = [entry for entry in entries if entry is not None]
        return await self._api_keys.replace(former, successor, audits, former=key), text

    async def revoke(self, which: str, actor: Actor | None = None) -> ApiKey:
        """Let the active key with this name or id open nothing any more.

        Raises:
            NotKnownError: There is no such active key.
        """
        key = await self.active(which)
        while key.is_active:
            revoked = replace(key, revoked_at=self._clock.now())
            entry = self._entry(actor, AuditAction.KEY_REVOKED, {"name": key.name}, key)
            try:
                await self._api_keys.save(revoked, entry, former=key)
            except ChangedMeanwhileError:
                key = await self.get(key.id)  # it is to go, whatever has become of it
            else:
                return revoked
        return key

    def _checked_profile(self, profile: str | None) -> str | None:
        if profile and profile not in self._profiles:
            names = ", ".join(sorted(self._profiles))
            raise UnsupportedInputError(
                f"There is no response profile {profile[:_LONGEST_NAME]!r}; there are {names}.", param="profile"
            )
        return profile or None

    async def active(self, which: str) -> ApiKey:
        """The active key with this name or id.

        Raises:
            NotKnownError: There is none.
        """
        for key in await self._api_keys.all():
            if key.is_active and which in (key.name, str(key.id)):
                return key
        raise NotKnownError(f"There is no active key {which[:_LONGEST_NAME]!r}; `flow2api keys list` shows them.")

    def _made(self, actor: Actor | None, key: ApiKey) -> AuditEntry | None:
        told = {name: value for name, value in _told(key).items() if value is not None or name == "tag"}
        return self._entry(actor, AuditAction.KEY_CREATED, told)

    def _entry(
        self, actor: Actor | None, action: AuditAction, details: Mapping[str, object], key: ApiKey | None = None
    ) -> AuditEntry | None:
        if actor is None:
            return None
        subject = None if key is None else str(key.id)
        return AuditEntry(at=self._clock.now(), actor=actor, action=action, subject=subject, details=details)


def _told(key: ApiKey) -> dict[str, object]:
    rules, told = key.rules, {"name": key.name, "tag": key.tag, "profile": key.profile}
    return {
        **told,
        "scopes": None if rules.scopes == NO_RULES.scopes else sorted(rules.scopes),
        "models": list(rules.models) or None,
        "expires_at": None if rules.expires_at is None else rules.expires_at.isoformat(),
        "requests_per_min": rules.requests_per_min,
        "max_concurrent": rules.max_concurrent or None,
        "max_per_day": rules.max_per_day or None,
    }


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise UnsupportedInputError(f"A key's name has 1 to {_LONGEST_NAME} printable characters.", param="name")
    if name.isdecimal():
        raise UnsupportedInputError("A key's name cannot be a number alone, for ids are numbers.", param="name")
    return name


def _checked_tag(tag: str | None) -> str | None:
    if tag:
        check_texts(email=None, name="", remark="", tags=frozenset({tag}))
    return tag or None


def _checked_text(text: str) -> Secret:
    """The text of a key that was not made here, unless it could be guessed."""
    if not _SHORTEST_TEXT <= len(text) <= _LONGEST_TEXT or not _TEXT.fullmatch(text):
        raise UnsupportedInputError(
            f"A key has {_SHORTEST_TEXT} to {_LONGEST_TEXT} characters: letters, digits, and any of `-._~+/=`.",
            param="new_api_key",
        )
    if len(set(text)) < _DISTINCT:
        raise UnsupportedInputError(
            f"A key has at least {_DISTINCT} different characters, of chance; `flow2api keys create` makes one.",
            param="new_api_key",
        )
    return Secret(text)


def _free_name(taken: Collection[str]) -> str:
    return next(name for number in count(1) if (name := f"key {number}") not in taken)


def _name_of_former(name: str, taken: Collection[str]) -> str:
    endings = (" (old)" if number == 1 else f" (old {number})" for number in count(1))
    return next(former for ending in endings if (former := name[: _LONGEST_NAME - len(ending)] + ending) not in taken)
