"""Writes to operators what they ought to know: gathered, not too often, and each thing once."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.notices import Notice, NoticeKind
from flow2api.domain.notification import LastTold, Message, NotifyTarget, message_of
from flow2api.domain.options import Options
from flow2api.domain.ports.notifications import Messenger, NotifyTargets, ToldNotices
from flow2api.domain.ports.system import Clock

log = logging.getLogger(__name__)

GATHER_S = 10.0
"""How long the first notice waits for others: one cause often has many effects."""

LAST_WORDS_S = 5.0
"""How long the end of the server waits for messages that are on their way."""

_HELD = 10_000
_AT_ONCE = 2
_UNDER_WAY = 16
_RETRY_S = (30.0, 300.0)

Topic = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Told:
    """What operators know of a topic, and since when; no kind is something else, told by another process."""

    kind: NoticeKind | None
    sentence: str
    at: datetime

    def says(self, notice: Notice) -> bool:
        """Whether this is what they know."""
        return (self.kind, self.sentence) == (notice.kind, notice.sentence)


class TellOperators:
    """Of each thing the latest notice holds. What has become well again before anybody was told is never told.

    At most one message goes out in `notify_pause_s`, and none about the same thing within `notify_repeat_s`; what
    changes meanwhile is told afterwards, if it still differs from what operators know. Of several processes on one database
    one tells each thing: the database says which.
    """

    def __init__(
        self,
        targets: NotifyTargets,
        ledger: ToldNotices,
        messenger: Messenger,
        clock: Clock,
        options: Callable[[], Options],
    ) -> None:
        self._targets = targets
        self._ledger = ledger
        self._messenger = messenger
        self._clock = clock
        self._options = options
        self._pending: dict[Topic, Notice] = {}
        self._told: dict[Topic, _Told] = {}
        self._left_out = 0
        self._news = asyncio.Event()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._sending: set[asyncio.Task[None]] = set()

    def take(self, notice: Notice) -> None:
        """Something to tell; never waits."""
        if not notice.kind.is_for_operators:
            return
        topic = (notice.kind.topic, notice.subject)
        told, pending = self._told.get(topic), self._pending.pop(topic, None)
        if told is not None and told.says(notice) and self._clock.now() < told.at + self._repeat():
            return  # it is as operators know it, or so again
        if told is None and pending is not None and pending.kind.is_trouble and not notice.kind.is_trouble:
            return  # over before anybody was told
        if len(self._pending) >= _HELD:
            self._left_out += 1
        else:
            self._pending[topic] = notice
        self._news.set()

    async def run(self) -> None:
        """Tell, for ever; at the end messages that are on their way get a moment."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                await self._clock.sleep(GATHER_S)
                while due := self._due():
                    await self._tell(due)
                    await self._clock.sleep(self._options().notify_pause_s)
                if self._pending:
                    await self._wait_for_the_next()
        finally:
            await self._finish()

    async def _wait_for_the_next(self) -> None:
        """Until one that is held back is due, or something else is to be told."""
        repeat, now = self._repeat(), self._clock.now()
        next_at = min(self._told[topic].at + repeat for topic in self._pending)
        waiting = [
            asyncio.create_task(self._news.wait()),
            asyncio.create_task(self._clock.sleep(max(0.0, (next_at - now).total_seconds()))),
        ]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        self._news.set()

    def _due(self) -> list[Notice]:
        """What is to be told now; it is no longer pending then."""
        now, repeat = self._clock.now(), self._repeat()
        self._told = {
            topic: told for topic, told in self._told.items() if topic in self._pending or told.at + repeat > now
        }
        due = [topic for topic in self._pending if (told := self._told.get(topic)) is None or told.at + repeat <= now]
        return [self._pending.pop(topic) for topic in due]

    def _repeat(self) -> timedelta:
        return timedelta(seconds=self._options().notify_repeat_s)

    async def _tell(self, due: Sequence[Notice]) -> None:
        left_out, self._left_out = self._left_out, 0
        now = self._clock.now()
        try:
            targets = await self._targets.all()
        except Flow2ApiError as error:
            log.warning("operators could not be told yet: %s", error)
            self._left_out += left_out
            for notice in due:
                self._pending.setdefault((notice.kind.topic, notice.subject), notice)
            return
        if targets:
            known = await self._claim(due, now)
            due = [notice for notice in due if self._is_to_tell(notice, known.get(notice.about), now)]
        if not due:
            self._left_out += left_out
            return
        message = message_of(due, left_out)
        for target in targets:
            if len(self._sending) >= _UNDER_WAY:
                log.warning("message to operators given up, too many are on their way", extra={"target": target.name})
                continue
            task = asyncio.create_task(self._send(target, message), name=f"notify {target.name}")
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _claim(self, due: Sequence[Notice], now: datetime) -> Mapping[str, LastTold]:
        """What is not ours to tell. When the database refuses, a full disk for one, better twice than never."""
        try:
            return await self._ledger.claim(due, now, now - self._repeat())
        except Flow2ApiError as error:
            log.warning("other processes may tell operators the same: %s", error)
            return {}

    def _is_to_tell(self, notice: Notice, last: LastTold | None, now: datetime) -> bool:
        """Note what operators know by now; what differs from what another process has told waits for its time."""
        topic = (notice.kind.topic, notice.subject)
        if last is None:
            self._told[topic] = _Told(notice.kind, notice.sentence, now)
            return True
        if last.news == notice.news:
            self._told[topic] = _Told(notice.kind, notice.sentence, last.at)
        else:
            self._told[topic] = _Told(None, "", last.at)
            self._pending.setdefault(topic, notice)
        return False

    async def _send(self, target: NotifyTarget, message: Message) -> None:
        error = await self._try(target, message)
        for pause_s in _RETRY_S:
            if error is None:
                break
            await self._clock.sleep(pause_s)
            error = await self._try(target, message)
        if error is not None:
            log.warning("message to operators not sent: %s", error, extra={"target": target.name})
        try:
            await self._targets.note(target.id, self._clock.now(), error or "")
        except Flow2ApiError as failure:
            log.warning("what came of a message is not written: %s", failure, extra={"target": target.name})

    async def _try(self, target: NotifyTarget, message: Message) -> str | None:
        async with self._turns:
            return await self._messenger.send(target.url, message)

    async def _finish(self) -> None:
        if self._sending:
            _, late = await asyncio.wait(set(self._sending), timeout=LAST_WORDS_S)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
