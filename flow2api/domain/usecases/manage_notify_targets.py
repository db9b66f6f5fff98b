"""What an operator does with the places where messages to operators go."""

from collections.abc import Sequence

from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import NotKnownError, UnsupportedInputError
from flow2api.domain.notification import Message, NotifyTarget
from flow2api.domain.ports.notifications import Messenger, NotifyTargets
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret

TEST = Message("flow2api: a test", "This is what messages of this server look like. Nothing has to be done.")

_LONGEST_NAME = 64
_LONGEST_URL = 4096


class ManageNotifyTargets:
    """Adds, lists, tries and removes them."""

    def __init__(self, targets: NotifyTargets, messenger: Messenger, clock: Clock) -> None:
        self._targets = targets
        self._messenger = messenger
        self._clock = clock

    async def all(self) -> Sequence[NotifyTarget]:
        """Every place, oldest first."""
        return await self._targets.all()

    async def add(self, name: str, url: Secret, actor: Actor) -> NotifyTarget:
        """Write to this place from now on.

        Raises:
            UnsupportedInputError: The name cannot be used, or the address names no place that can be written to.
            ConflictError: Another one has this name.
        """
        name = checked_name(name)
        service = await self._messenger.service_of(url) if 0 < len(url) <= _LONGEST_URL else None
        if service is None:
            raise UnsupportedInputError(
                "This address names no place that messages can be written to. It is an Apprise URL, such as "
                "tgram://BOT_TOKEN/CHAT_ID or mailto://USER:PASSWORD@example.org.",
                param="url",
            )
        now = self._clock.now()
        target = NotifyTarget(id=0, name=name, service=service, url=url, created_at=now)
        entry = AuditEntry(
            at=now, actor=actor, action=AuditAction.NOTIFY_TARGET_ADDED, details={"name": name, "service": service}
        )
        return await self._targets.add(target, entry)

    async def remove(self, which: str, actor: Actor) -> NotifyTarget:
        """Write to this place no more.

        Raises:
            NotKnownError: There is none with this name or id.
        """
        target = await self.named(which)
        entry = AuditEntry(
            at=self._clock.now(),
            actor=actor,
            action=AuditAction.NOTIFY_TARGET_REMOVED,
            subject=str(target.id),
            details={"name": target.name},
        )
        if not await self._targets.remove(target.id, entry):
            raise _unknown(which)
        return target

    async def test(self, which: str | None = None) -> Sequence[tuple[NotifyTarget, str | None]]:
        """Write a message to this place, or to every one, now.

        Returns:
            Each place, and why the message did not get there; None when it did.

        Raises:
            NotKnownError: There is none with this name or id.
        """
        targets = await self.all() if which is None else [await self.named(which)]
        found = []
        for target in targets:
            error = await self._messenger.send(target.url, TEST)
            await self._targets.note(target.id, self._clock.now(), error or "")
            found.append((target, error))
        return found

    async def named(self, which: str) -> NotifyTarget:
        """The place with this name or id.

        Raises:
            NotKnownError: There is none.
        """
        for target in await self.all():
            if which in (target.name, str(target.id)):
                return target
        raise _unknown(which)


def checked_name(name: str) -> str:
    """A name that tables can show and commands can be given.

    Raises:
        UnsupportedInputError: It is empty, too long, unprintable, or a number, which could be taken for an id.
    """
    name = name.strip()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable() or name.isdecimal():
        raise UnsupportedInputError(
            f"A name has 1 to {_LONGEST_NAME} printable characters, and is no number.", param="name"
        )
    return name


def _unknown(which: str) -> NotKnownError:
    return NotKnownError(f"There is no notify target {which[:_LONGEST_NAME]!r}; `flow2api notify list` shows them.")
