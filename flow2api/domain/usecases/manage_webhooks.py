"""What an operator does with webhooks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from flow2api.domain.audit import Actor, AuditAction, AuditEntry, differences
from flow2api.domain.errors import NotKnownError, UnsupportedInputError
from flow2api.domain.notices import NoticeKind
from flow2api.domain.ports.system import Clock, Ids
from flow2api.domain.ports.webhooks import Courier, Deliveries, Webhooks
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_notify_targets import checked_name
from flow2api.domain.usecases.send_webhooks import content_of
from flow2api.domain.webhook import SUBSCRIBABLE, Delivery, Receipt, Webhook

DEFAULT_KINDS = frozenset(
    {
        NoticeKind.GENERATION_COMPLETED,
        NoticeKind.GENERATION_FAILED,
        NoticeKind.ACCOUNT_NEEDS_CARE,
        NoticeKind.ACCOUNT_RECOVERED,
    }
)
TEST = "webhook.test"
LARGEST_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChange:
    """What is to be different; what is None stays.

    Attributes:
        kinds: What to tell from now on; nothing named is what a new webhook is told.
        key_id: Of generations only those of this API key.
        hears_all_keys: Of generations all, whatever was said before.
    """

    url: Secret | None = None
    kinds: Collection[str] | None = None
    key_id: int | None = None
    hears_all_keys: bool = False


class ManageWebhooks:
    """Adds, lists, changes, tries, switches on and removes them, and shows what became of their messages."""

    def __init__(self, webhooks: Webhooks, deliveries: Deliveries, courier: Courier, ids: Ids, clock: Clock) -> None:
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._courier = courier
        self._ids = ids
        self._clock = clock

    async def all(self) -> Sequence[Webhook]:
        """Every one, oldest first."""
        return await self._webhooks.all()

    async def add(
        self,
        name: str,
        url: Secret,
        actor: Actor,
        *,
        kinds: Collection[str] = (),
        key_id: int | None = None,
        signing: Secret | None = None,
    ) -> Webhook:
        """Tell this address from now on.

        Args:
            kinds: What to tell; nothing named is the ends of generations and accounts that need care.
            key_id: Of generations only those of this API key.
            signing: The secret to sign with; None makes one.

        Raises:
            UnsupportedInputError: Something of this cannot be used; nothing was stored.
            ConflictError: Another one has this name.
        """
        name, wanted = checked_name(name), _kinds(kinds)
        shown = self._courier.check(url)
        if signing is None:
            signing = self._courier.new_secret()
        else:
            self._courier.check_secret(signing)
        now = self._clock.now()
        webhook = Webhook(
            id=0, name=name, url=url, shown=shown, signing=signing, kinds=wanted, created_at=now, key_id=key_id
        )
        details = {"name": name, "address": shown, "events": sorted(wanted), "key_id": key_id}
        return await self._webhooks.add(webhook, self._entry(actor, AuditAction.WEBHOOK_ADDED, None, details))

    async def remove(self, which: str, actor: Actor) -> Webhook:
        """Tell this address no more, and forget its messages.

        Raises:
            NotKnownError: There is none with this name or id.
        """
        webhook = await self.named(which)
        entry = self._entry(actor, AuditAction.WEBHOOK_REMOVED, webhook, {"name": webhook.name})
        if not await self._webhooks.remove(webhook.id, entry):
            raise _unknown(which)
        return webhook

    async def update(self, which: str, change: WebhookChange, actor: Actor) -> Webhook:
        """Change what one is told, and where; messages that wait go to the new address. What is so already stays.

        Raises:
            NotKnownError: There is none with this name or id.
            UnsupportedInputError: Something of this cannot be used; nothing was changed.
            ChangedMeanwhileError: Somebody else has changed it in the same moment; nothing was changed here.
        """
        webhook = await self.named(which)
        changed = replace(
            webhook,
            kinds=webhook.kinds if change.kinds is None else _kinds(change.kinds),
            key_id=None if change.hears_all_keys else webhook.key_id if change.key_id is None else change.key_id,
        )
        details = differences(_told(webhook), _told(changed))
        if change.url is not None and change.url != webhook.url:
            changed = replace(changed, url=change.url, shown=self._courier.check(change.url))
            details = differences(
                {**_told(webhook), "address": webhook.shown, "url": "former"},
                {**_told(changed), "address": changed.shown, "url": "new"},
            )
        if changed != webhook:
            await self._save(changed, webhook, which, {"name": webhook.name, **details}, actor)
        return changed

    async def rotate(self, which: str, actor: Actor) -> Webhook:
        """Sign with a new secret from now on, messages that wait included; the former one signs nothing any more.

        Raises:
            NotKnownError: There is none with this name or id.
            ChangedMeanwhileError: Somebody else has changed it in the same moment; nothing was changed here.
        """
        webhook = await self.named(which)
        changed = replace(webhook, signing=self._courier.new_secret())
        await self._save(changed, webhook, which, {"name": webhook.name, "after": {"signing": "new"}}, actor)
        return changed

    async def switch(self, which: str, actor: Actor, *, on: bool) -> Webhook:
        """Switch one on again, or off; one that is so already is left as it is.

        Raises:
            NotKnownError: There is none with this name or id.
        """
        webhook, now = await self.named(which), self._clock.now()
        if webhook.is_enabled == on:
            return webhook
        entry = self._entry(actor, AuditAction.WEBHOOK_CHANGED, webhook, {"name": webhook.name, "enabled": on})
        why = "" if on else f"by {actor.name}"
        await self._webhooks.switch(webhook.id, None if on else now, why, entry)
        return replace(webhook, disabled_at=None if on else now, disabled_why=why)

    async def test(self, which: str) -> tuple[Webhook, Receipt]:
        """Send a message to this address now, once, and say what came of it; it is not written down.

        Raises:
            NotKnownError: There is none with this name or id.
        """
        webhook, now = await self.named(which), self._clock.now()
        content = content_of(TEST, now, {"webhook": webhook.name}).encode()
        return webhook, await self._courier.carry(webhook, self._ids.new("msg"), now, content)

    async def deliveries(
        self, which: str | None = None, *, before: int | None = None, limit: int = 50
    ) -> Sequence[Delivery]:
        """Messages to one webhook, or to all, newest first.

        Raises:
            NotKnownError: There is none with this name or id.
        """
        webhook_id = None if which is None else (await self.named(which)).id
        return await self._deliveries.page(webhook_id, before=before, limit=min(limit, LARGEST_PAGE))

    async def named(self, which: str) -> Webhook:
        """The webhook with this name or id.

        Raises:
            NotKnownError: There is none.
        """
        for webhook in await self.all():
            if which in (webhook.name, str(webhook.id)):
                return webhook
        raise _unknown(which)

    async def _save(
        self, changed: Webhook, former: Webhook, which: str, details: Mapping[str, Any], actor: Actor
    ) -> None:
        entry = self._entry(actor, AuditAction.WEBHOOK_CHANGED, changed, details)
        if not await self._webhooks.save(changed, entry, former=former):
            raise _unknown(which)

    def _entry(
        self, actor: Actor, action: AuditAction, webhook: Webhook | None, details: Mapping[str, Any]
    ) -> AuditEntry:
        subject = None if webhook is None else str(webhook.id)
        return AuditEntry(at=self._clock.now(), actor=actor, action=action, subject=subject, details=details)


def _kinds(names: Collection[str]) -> frozenset[NoticeKind]:
    known = {kind.value: kind for kind in SUBSCRIBABLE}
    for name in names:
        if name not in known:
            near = get_close_matches(name, list(known), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" There are {', '.join(known)}."
            raise UnsupportedInputError(f"There is no event {name[:64]!r}.{hint}", param="events")
    return frozenset(known[name] for name in names) or DEFAULT_KINDS


def _told(webhook: Webhook) -> dict[str, object]:
    """What of a webhook a change may touch, for the audit log; its address could hold a secret."""
    return {"events": sorted(webhook.kinds), "key_id": webhook.key_id}


def _unknown(which: str) -> NotKnownError:
    return NotKnownError(f"There is no webhook {which[:64]!r}; `flow2api webhooks list` shows them.")
