"""What an observer promises."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.notices import Notice, NoticeKind
from flow2api.domain.ports.observers import ChoosesKinds, Observer
from flow2api.testing.fakes.clock import START

PLAIN = Notice(
    kind=NoticeKind.DISK_FULL,
    at=START,
    subject="account 7",
    sentence="Äccount 7 needs\ncare: “now”.",
    facts={"account": 7, "reasons": ["quota"], "nested": {"until": None, "share": 0.5}},
    key_id=3,
    results=("med_1",),
)


class ObserverContract:
    """Everything that an observer promises: subclass it, and define the fixture ``observer``."""

    @pytest.mark.parametrize("kind", NoticeKind)
    def test_takes_every_kind_that_it_wants(self, observer: Observer, kind: NoticeKind) -> None:
        if isinstance(observer, ChoosesKinds) and kind not in observer.kinds:
            pytest.skip("it does not want to hear of it")

        observer.notify(replace(PLAIN, kind=kind))

    def test_takes_many_of_one_moment_and_one_of_the_past(self, observer: Observer) -> None:
        wanted = next(iter(observer.kinds), None) if isinstance(observer, ChoosesKinds) else NoticeKind.DISK_FULL
        if wanted is None:
            pytest.skip("it wants to hear of nothing")
        for number in range(100):
            observer.notify(replace(PLAIN, kind=wanted, subject=f"account {number}"))

        observer.notify(replace(PLAIN, kind=wanted, at=START - timedelta(days=1)))

    def test_kinds_that_it_wants_are_kinds_of_notices(self, observer: Observer) -> None:
        if not isinstance(observer, ChoosesKinds):
            pytest.skip("it hears everything")

        assert set(observer.kinds) <= set(NoticeKind)
