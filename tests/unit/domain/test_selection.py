"""Why an account may not serve, and which of several reasons is told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.account import Account, Capacity, Rest, RestReason, Tier
from flow2api.domain.media import MediaKind
from flow2api.domain.selection import Candidate, Need, Signature, model_refusal, refusal, refusal_for
from flow2api.testing.factories import AccountFactory, picture_spec, video_spec
from flow2api.testing.fakes.clock import START

LATER = START + timedelta(minutes=1)
SIGNATURE = Signature("flow", MediaKind.VIDEO, Tier.PRO, "eu")


def fitting(**changes: object) -> Account:
    return AccountFactory.build(**{"id": 1, "tags": frozenset({"eu"}), **changes})


def resting(reason: RestReason, model: str | None = None) -> tuple[Rest, ...]:
    return (Rest(reason, START, LATER, model),)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"tier": Tier.ULTRA}, None),
        ({"upstream": "other"}, "other_upstream"),
        ({"capacity": Capacity(video=0)}, "switched_off"),
        ({"capacity": Capacity(image=0)}, None),
        ({"tags": frozenset()}, "no_tag"),
        ({"tier": Tier.FREE}, "no_tier"),
        ({"tier": None}, "warming"),
        ({"workspace": None}, "warming"),
        ({"access_expires_at": None}, "warming"),
        ({"rests": resting(RestReason.RATE_LIMITED)}, "rate_limited"),
        ({"rests": resting(RestReason.RATE_LIMITED, "film")}, None),
        ({"rests": resting(RestReason.RATE_LIMITED), "tier": Tier.FREE}, "no_tier"),
        ({"rests": resting(RestReason.MANUAL), "workspace": None}, "manual"),
        ({"rests": resting(RestReason.RATE_LIMITED), "tags": frozenset()}, "no_tag"),
    ],
)
def test_tells_what_never_passes_before_what_does(changes: dict[str, object], reason: str | None) -> None:
    assert refusal(Candidate(fitting(**changes)), SIGNATURE, START) == reason


def test_account_is_busy_when_every_slot_of_the_kind_is_taken() -> None:
    candidate = Candidate(fitting(capacity=Capacity(image=1, video=2)), images=1, videos=1)
    assert refusal(candidate, SIGNATURE, START) is None
    candidate.videos = 2
    assert refusal(candidate, SIGNATURE, START) == "busy"
    assert refusal(candidate, SIGNATURE._replace(kind=MediaKind.IMAGE), START) == "busy"


def test_account_is_busy_while_other_processes_hold_its_slots() -> None:
    candidate = Candidate(fitting(), full=frozenset({MediaKind.VIDEO}))
    assert refusal(candidate, SIGNATURE, START) == "busy"
    assert candidate.has_free_slot(MediaKind.IMAGE)


def test_account_without_a_way_is_told_after_its_rests_and_before_all_that_could_be_done_about_it() -> None:
    assert refusal(Candidate(fitting(workspace=None), has_way=False), SIGNATURE, START) == "no_proxy"
    assert (
        refusal(Candidate(fitting(capacity=Capacity(video=1)), videos=1, has_way=False), SIGNATURE, START) == "no_proxy"
    )
    resting_one = fitting(rests=resting(RestReason.RATE_LIMITED))
    assert refusal(Candidate(resting_one, has_way=False), SIGNATURE, START) == "rate_limited"


def test_rest_that_is_over_refuses_nothing() -> None:
    assert refusal(Candidate(fitting(rests=resting(RestReason.QUOTA))), SIGNATURE, LATER) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"credits": 20}, None),
        ({"credits": 19}, "quota"),
        ({"credits": None}, None),
        ({"rests": resting(RestReason.NO_ACCESS, "film")}, "no_access"),
        ({"rests": resting(RestReason.NO_ACCESS, "other")}, None),
    ],
)
def test_model_asks_for_its_price_and_for_access(changes: dict[str, object], reason: str | None) -> None:
    candidate = Candidate(fitting(**changes))
    assert model_refusal(candidate, video_spec(), START) == reason
    assert refusal_for(candidate, video_spec(), SIGNATURE, START) == reason


def test_models_that_are_limited_as_one_rest_together() -> None:
    candidate = Candidate(fitting(rests=resting(RestReason.NO_ACCESS, "both")))
    for name in ("wide", "tall"):
        assert model_refusal(candidate, video_spec(name, limited_as="both"), START) == "no_access"
    assert model_refusal(candidate, video_spec("both", limited_as="another"), START) is None


def test_what_costs_nothing_needs_no_credits() -> None:
    assert model_refusal(Candidate(fitting(credits=0)), picture_spec(), START) is None


def test_busy_account_that_could_not_serve_anyway_is_not_called_busy() -> None:
    candidate = Candidate(fitting(capacity=Capacity(video=1), credits=0), videos=1)
    assert refusal_for(candidate, video_spec(), SIGNATURE, START) == "quota"
    candidate.account = replace(candidate.account, credits=100)
    assert refusal_for(candidate, video_spec(), SIGNATURE, START) == "busy"


def test_signature_leaves_out_what_is_particular() -> None:
    one = Need(video_spec(), tag="eu", sticky="a", only=3)
    other = Need(video_spec("other"), tag="eu")
    assert one.signature == other.signature == Signature("flow", MediaKind.VIDEO, Tier.FREE, "eu")
