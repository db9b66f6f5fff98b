"""What notices say, and what they leave out."""

from dataclasses import replace

import pytest

from flow2api.domain import notices
from flow2api.domain.account import Account, CallKind, RestReason, Tier
from flow2api.domain.generation import Fault, State
from flow2api.domain.notices import NoticeKind
from flow2api.testing.fakes.clock import START as NOW
from flow2api.testing.samples import whole_generation

ACCOUNT = Account(id=7, upstream="flow", name="seven", created_at=NOW, email="seven@example.org", tier=Tier.PRO)
ENDED = replace(whole_generation(), state=State.COMPLETED, fault=None)


@pytest.mark.parametrize("kind", NoticeKind)
def test_trouble_and_its_end_are_one_topic(kind: NoticeKind) -> None:
    others = [other for other in NoticeKind if other is not kind and other.topic == kind.topic]

    assert len(others) <= 1
    assert all(other.is_trouble != kind.is_trouble for other in others)
    assert kind.topic in {other.value for other in NoticeKind}


def test_only_what_a_person_has_to_cure_needs_care() -> None:
    well = ACCOUNT.resting(RestReason.RATE_LIMITED, NOW).resting(RestReason.AUTH_EXPIRED, NOW, model="veo")
    ill = ACCOUNT.resting(RestReason.UNUSABLE, NOW, why="region").resting(RestReason.AUTH_EXPIRED, NOW)

    assert notices.needs_care(well) == ()
    assert notices.needs_care(ill) == ("auth_expired", "unusable")
    assert notices.needs_care(ill.resting(RestReason.MANUAL, NOW)) == ()


def test_account_that_needs_care_tells_who_why_and_what_to_do() -> None:
    notice = notices.account_needs_care(ACCOUNT.resting(RestReason.UNUSABLE, NOW, why="region"), NOW)

    assert notice.sentence == (
        "Account 7 (seven@example.org) does not work: the upstream does not serve it. Look at it there, then enable it "
        "again (region)."
    )
    assert (notice.facts["account_id"], notice.facts["tier"], notice.facts["reasons"]) == (7, "pro", ["unusable"])


def test_generation_tells_its_end_but_not_its_prompt() -> None:
    notice = notices.generation_ended(ENDED, NOW)

    assert (notice.kind, notice.key_id, notice.results) == (NoticeKind.GENERATION_COMPLETED, 3, ("med_3", "med_4"))
    assert ENDED.prompt not in str(notice)
    assert notice.facts["error"] is None
    assert not notice.kind.is_for_operators


def test_cancelled_generation_counts_as_failed() -> None:
    cancelled = replace(ENDED, state=State.CANCELLED, fault=Fault("cancelled", "It was cancelled."))
    notice = notices.generation_ended(cancelled, NOW)

    assert notice.kind is NoticeKind.GENERATION_FAILED
    assert (notice.facts["state"], notice.facts["error"]["code"]) == ("cancelled", "cancelled")


def test_whatever_can_be_told_has_a_maker() -> None:
    made = [
        notices.account_needs_care(ACCOUNT, NOW),
        notices.account_recovered(ACCOUNT, NOW),
        notices.credits_low(ACCOUNT, NOW, 20),
        notices.credits_back(ACCOUNT, NOW),
        notices.tier_empty(Tier.PRO, NOW, 3, frozenset({CallKind.VIDEO}), 2),
        notices.tier_served(Tier.PRO, NOW, 3, 1),
        notices.breaker_opened("flow", NOW, "502"),
        notices.breaker_closed("flow", NOW),
        notices.proxy_dead("frankfurt", NOW, 3),
        notices.proxy_recovered("frankfurt", NOW),
        notices.disk_full(NOW),
        notices.disk_freed(NOW),
        notices.webhook_disabled("shop", NOW, "it is gone"),
        notices.generation_ended(ENDED, NOW),
        notices.generation_ended(replace(ENDED, state=State.FAILED), NOW),
    ]

    assert {notice.kind for notice in made} == set(NoticeKind)
    assert all(notice.subject and notice.sentence.endswith(".") for notice in made)
    pairs = [(one, other) for one in made for other in made if one.kind.topic == other.kind.topic]
    assert all(one.subject == other.subject for one, other in pairs if one.kind.is_for_operators)
