"""Which webhook wants what, and when a message is tried again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain import notices
from flow2api.domain.generation import State
from flow2api.domain.notices import NoticeKind
from flow2api.domain.secret import Secret
from flow2api.domain.webhook import LONGEST_ASKED_PAUSE, PAUSES, Receipt, Webhook, pause_after
from flow2api.testing.fakes.clock import START as NOW
from flow2api.testing.samples import whole_generation

SHOP = Webhook(
    id=1,
    name="shop",
    url=Secret("https://shop.example/"),
    shown="https://shop.example",
    signing=Secret("whsec_x"),
    kinds=frozenset({NoticeKind.GENERATION_COMPLETED, NoticeKind.DISK_FULL}),
    created_at=NOW,
    key_id=3,
)
DONE = notices.generation_ended(replace(whole_generation(), state=State.COMPLETED), NOW)
NO = Receipt(answer=500, error="it answered 500")


def test_hears_only_the_kinds_it_wants() -> None:
    assert SHOP.wants(DONE)
    assert not replace(SHOP, kinds=frozenset({NoticeKind.GENERATION_FAILED})).wants(DONE)
    assert not replace(SHOP, disabled_at=NOW).wants(DONE)


def test_key_narrows_generations_and_nothing_else() -> None:
    assert not replace(SHOP, key_id=4).wants(DONE)
    assert not SHOP.wants(replace(DONE, key_id=None))
    assert replace(SHOP, key_id=None).wants(DONE)
    assert replace(SHOP, key_id=4).wants(notices.disk_full(NOW))


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_pauses_grow_and_come_to_an_end_after_more_than_a_day(spread: float) -> None:
    pauses = [pause_after(number, NO, spread) for number in range(1, 9)]

    assert pauses[-1] is None
    taken = [pause for pause in pauses if pause is not None]
    assert len(taken) == len(PAUSES)
    assert taken == sorted(taken)
    assert sum(taken, timedelta()) > timedelta(hours=24)


def test_asked_pause_prolongs_but_never_shortens_nor_holds_for_ever() -> None:
    assert pause_after(1, replace(NO, retry_after_s=600), 0.5) == timedelta(seconds=600)
    assert pause_after(2, replace(NO, retry_after_s=1), 0.5) == PAUSES[1]
    assert pause_after(1, replace(NO, retry_after_s=1e9), 0.5) == LONGEST_ASKED_PAUSE
    assert pause_after(1, replace(NO, retry_after_s=1e300), 0.5) == LONGEST_ASKED_PAUSE
