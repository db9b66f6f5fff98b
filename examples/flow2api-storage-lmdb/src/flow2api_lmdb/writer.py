"""The one thread that writes. Steps that arrive while a transaction goes to the disk share the next one."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

import lmdb

from flow2api_lmdb.tables import Step

MOST_TOGETHER = 200
"""How many steps share a transaction at most: the first of them waits for the last."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step that somebody waits for."""

    work: Callable[[Step], Any]
    outcome: "Future[Any]" = field(default_factory=Future)


class Writer:
    """Carries out steps in the order in which they came, each as a whole or not at all.

    Args:
        environment: Where they write.
        step: What a step works with, within a transaction.
        alone: Carries out one step in a transaction of its own, and raises errors in words of the port.
    """

    def __init__(
        self,
        environment: lmdb.Environment,
        step: Callable[[lmdb.Transaction], Step],
        alone: Callable[[Callable[[Step], Any]], Any],
    ) -> None:
        self._environment = environment
        self._step = step
        self._alone = alone
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="lmdb-writer")
        self._thread.start()

    def submit(self, work: Callable[[Step], Any]) -> "Future[Any]":
        """Take a step in; its outcome comes when it is on the disk."""
        waiting = Waiting(work)
        self._queue.put(waiting)
        return waiting.outcome

    def shutdown(self) -> None:
        """Carry out what was taken in, and stop."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first, *self._more()]
            outcomes = self._together(group) if len(group) > 1 else None
            for at, waiting in enumerate(group):
                if outcomes is None:
                    _settle(waiting, lambda: self._alone(waiting.work))  # noqa: B023
                else:
                    _settle(waiting, outcomes[at])

    def _more(self) -> Sequence[Waiting]:
        found: list[Waiting] = []
        while len(found) < MOST_TOGETHER - 1:
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                break
            if waiting is None:
                self._queue.put(None)  # nothing comes behind it
                break
            found.append(waiting)
        return found

    def _together(self, group: Sequence[Waiting]) -> Sequence[Callable[[], Any]] | None:
        """What came of each, all of them in one transaction; None when that failed, so that none was carried out."""
        try:
            with self._environment.begin(write=True) as whole:
                return [self._within(whole, waiting) for waiting in group]
        except (lmdb.Error, OSError):
            return None

    def _within(self, whole: lmdb.Transaction, waiting: Waiting) -> Callable[[], Any]:
        part = self._environment.begin(write=True, parent=whole)
        try:
            result = waiting.work(self._step(part))
        except (lmdb.Error, OSError):
            part.abort()
            raise
        except BaseException as error:  # noqa: BLE001 - is raised where it is waited for
            part.abort()
            return _raising(error)
        part.commit()
        return lambda: result


def _raising(error: BaseException) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


def _settle(waiting: Waiting, outcome: Callable[[], Any]) -> None:
    try:
        result, error = outcome(), None
    except BaseException as raised:  # noqa: BLE001 - is raised where it is waited for
        result, error = None, raised
    if not waiting.outcome.set_running_or_notify_cancel():
        return  # nobody waits any more
    if error is None:
        waiting.outcome.set_result(result)
    else:
        waiting.outcome.set_exception(error)
