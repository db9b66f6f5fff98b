"""The ready sets of all signatures: an account changes those only that it has a place in."""

from collections import Counter
from dataclasses import replace

from flow2api.domain.account import Capacity
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import MediaKind
from flow2api.domain.ready_sets import ReadySets
from flow2api.domain.selection import Candidate, Need, Signature, refusal, refusal_for
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.testing.factories import AccountFactory, picture_spec, video_spec
from flow2api.testing.fakes.clock import START, FakeClock

ELSEWHERE = picture_spec("elsewhere", upstream="other")


def test_account_without_a_free_slot_changes_only_the_model_sets_of_its_kind_and_service() -> None:
    full, other = (
        Candidate(AccountFactory.build(id=1, capacity=Capacity(image=1))),
        Candidate(AccountFactory.build(id=2, upstream="other")),
    )
    sets = ReadySets({1: full, 2: other})
    paint, film, elsewhere = (
        sets.of_model(spec, Need(spec).signature, START) for spec in (picture_spec(), video_spec(), ELSEWHERE)
    )

    full.images = 1
    sets.restand(full, START, MediaKind.IMAGE)

    assert (paint.ready, paint.refusals()) == (0, {"busy": 1})
    assert [one.account.id for one in film.everyone()] == [1]
    assert [one.account.id for one in elsewhere.everyone()] == [2]
    assert elsewhere.refusals() == {}


def standing_by_scan(pool: AccountPool, signature: Signature, spec: ModelSpec | None = None) -> Counter[str | None]:
    now = pool.clock.now()
    return Counter(
        refusal(one, signature, now) if spec is None else refusal_for(one, spec, signature, now)
        for one in pool.candidates.values()
        if one.account.upstream == signature.upstream
    )


def test_set_for_a_tag_holds_those_only_that_carry_it_and_counts_the_others() -> None:
    pool = AccountPool(MemorySlots(), FakeClock())
    spec, tags = picture_spec(), [f"tag {number}" for number in range(50)]
    signatures = [Signature(spec.upstream, spec.kind, spec.min_tier, tag) for tag in tags]
    sets = pool.ready_sets

    def check(carried: int) -> None:
        for signature in signatures:
            every = [(sets.of(signature, START), None), (sets.of_model(spec, signature, START), spec)]
            for ready, model in every:
                scan = standing_by_scan(pool, signature, model)
                assert (ready.ready, ready.refusals()) == (scan.pop(None, 0), dict(scan))
        assert sum(len(ready._standing) for signature, ready in sets._sets.items() if signature.tag) == carried

    for number in range(1, 201):
        if number == 100:
            check(99)  # sets are made with accounts there already, and follow those that come
        off = Capacity(image=0) if number % 7 == 0 else Capacity()
        account = AccountFactory.build(id=number, tags=frozenset({tags[number % 50]}), capacity=off)
        pool.put(account)
    pool.put(AccountFactory.build(id=201, upstream="other", tags=frozenset(tags)))
    check(200)

    changed = pool.get(1), pool.get(2), pool.get(3)
    assert changed[0] is not None
    assert changed[1] is not None
    assert changed[2] is not None
    pool.put(replace(changed[0], tags=frozenset({"tag 7", "tag 8"})))
    pool.put(replace(changed[1], tags=frozenset()))
    pool.put(replace(changed[2], capacity=Capacity(image=0)))
    check(200)
    for number in range(3, 100):
        pool.remove(number)
    check(103)
    elsewhere = pool.get(201)
    assert elsewhere is not None
    pool.put(replace(elsewhere, tags=frozenset()))
    check(103)
