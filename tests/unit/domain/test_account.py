"""Why an account rests, how long, and what lifts it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from flow2api.domain.account import (
    RENEWAL_MARGIN,
    Account,
    AccountStatus,
    CallKind,
    Capacity,
    CredentialKind,
    Credentials,
    Cure,
    Rest,
    RestReason,
    Streak,
    fold_email,
)
from flow2api.domain.health import HealthKind, changes
from flow2api.domain.media import MediaKind
from flow2api.domain.rest import LONGEST_REST, RATE_LIMIT_STEPS, STREAK_STEPS
from flow2api.domain.secret import Secret
from flow2api.testing.factories import AccountFactory
from flow2api.testing.fakes.clock import START

CURED_BY = {
    RestReason.MANUAL: {Cure.OPERATOR},
    RestReason.AUTH_EXPIRED: {Cure.NEW_CREDENTIAL, Cure.NEW_KEY},
    RestReason.UNUSABLE: {Cure.OPERATOR, Cure.SEEN_USABLE, Cure.NEW_KEY},
    RestReason.REFUSED: set(),
    RestReason.RATE_LIMITED: set(),
    RestReason.QUOTA: {Cure.CREDITS_SEEN},
    RestReason.NO_ACCESS: {Cure.TIER_CHANGED, Cure.NEW_KEY},
    RestReason.ERROR_STREAK: set(),
}

STATUS_OF = {
    RestReason.MANUAL: AccountStatus.DISABLED,
    RestReason.AUTH_EXPIRED: AccountStatus.SUSPENDED,
    RestReason.UNUSABLE: AccountStatus.SUSPENDED,
    RestReason.REFUSED: AccountStatus.COOLING_DOWN,
    RestReason.RATE_LIMITED: AccountStatus.COOLING_DOWN,
    RestReason.QUOTA: AccountStatus.COOLING_DOWN,
    RestReason.NO_ACCESS: AccountStatus.ACTIVE,
    RestReason.ERROR_STREAK: AccountStatus.COOLING_DOWN,
}


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.mark.parametrize("reason", RestReason)
def test_names_every_reason_in_the_tables(reason: RestReason) -> None:
    account = AccountFactory.build(id=1).resting(reason, START)

    assert account.status(START) is STATUS_OF[reason]
    for cure in Cure:
        assert (account.cured(cure).rests == ()) is (cure in CURED_BY[reason]), cure


def test_credits_say_nothing_about_one_models_share_of_a_day() -> None:
    account = AccountFactory.build(id=1).resting(RestReason.QUOTA, START, model="film")

    assert account.cured(Cure.CREDITS_SEEN) is account


def test_gravest_reason_decides_about_the_status() -> None:
    account = AccountFactory.build(id=1).resting(RestReason.RATE_LIMITED, START, until=START + minutes(1))
    assert account.status(START) is AccountStatus.COOLING_DOWN
    account = account.resting(RestReason.AUTH_EXPIRED, START)
    assert account.status(START) is AccountStatus.SUSPENDED
    account = account.resting(RestReason.MANUAL, START)
    assert account.status(START) is AccountStatus.DISABLED
    blocking = account.blocking_rest(START)
    assert blocking is not None
    assert blocking.reason is RestReason.MANUAL


def test_account_that_may_make_something_is_active() -> None:
    until = START + minutes(5)
    account = AccountFactory.build(id=1).resting(RestReason.QUOTA, START, until=until, call=CallKind.VIDEO)
    aside = account.resting(RestReason.RATE_LIMITED, START, until=until, call=CallKind.ENLARGEMENT)

    assert (aside.status(START), aside.blocking_rest(START)) == (AccountStatus.ACTIVE, None)
    assert aside.partial_rest(START) is account.rests[0]
    assert aside.partial_rest(until) is None
    both = account.resting(RestReason.ERROR_STREAK, START, until=START + minutes(1), call=CallKind.PICTURE)
    assert both.status(START) is AccountStatus.COOLING_DOWN
    assert both.status(START + minutes(1)) is AccountStatus.ACTIVE


@pytest.mark.parametrize(("images", "status"), [(0, AccountStatus.COOLING_DOWN), (1, AccountStatus.ACTIVE)])
def test_kind_that_is_switched_off_does_not_make_an_account_active(images: int, status: AccountStatus) -> None:
    account = AccountFactory.build(id=1, capacity=Capacity(image=images))
    assert account.makes == ((CallKind.VIDEO,) if not images else (CallKind.PICTURE, CallKind.VIDEO))

    assert account.resting(RestReason.QUOTA, START, call=CallKind.VIDEO).status(START) is status


def test_account_that_is_to_make_nothing_still_stands_somehow() -> None:
    account = AccountFactory.build(id=1, capacity=Capacity(image=0, video=0))
    assert account.status(START) is AccountStatus.ACTIVE
    assert account.resting(RestReason.AUTH_EXPIRED, START).status(START) is AccountStatus.SUSPENDED


def test_rest_for_one_model_leaves_the_account_active() -> None:
    account = AccountFactory.build(id=1).resting(RestReason.QUOTA, START, until=START + minutes(5), model="film")

    assert account.status(START) is AccountStatus.ACTIVE
    assert account.blocking_rest(START) is None
    assert account.model_rest("film", START) is account.rests[0]
    assert account.model_rest("paint", START) is None
    assert account.model_rest("film", START + minutes(5)) is None


def test_refusals_in_a_row_rest_longer_each_time_up_to_half_a_day() -> None:
    account, now, pauses = AccountFactory.build(id=1), START, []
    for _ in range(6):
        account = account.rate_limited(now, retry_after_s=None)
        until = account.rests[0].until
        assert until is not None
        pauses.append(until - now)
        now = until

    assert pauses == [*RATE_LIMIT_STEPS, LONGEST_REST, LONGEST_REST]


def test_short_pauses_that_were_asked_for_lead_to_no_long_rest() -> None:
    account, now = AccountFactory.build(id=1), START
    for _ in range(5):
        account = account.rate_limited(now, retry_after_s=2)
        now += timedelta(seconds=3)
    account = account.rate_limited(now, retry_after_s=None)
    assert account.rests[0].until == now + RATE_LIMIT_STEPS[1]


def test_many_refusals_at_once_are_one_step() -> None:
    account = AccountFactory.build(id=1)
    for _ in range(10):
        account = account.rate_limited(START, retry_after_s=None)

    assert account.rests[0].until == START + RATE_LIMIT_STEPS[0]
    assert account.rests[0].step == 0


@pytest.mark.parametrize(
    ("asked_s", "rests_s"),
    [(5.0, 5), (0.0, 1), (-3.0, 1), (1e9, 43200), (float("inf"), 43200), (float("nan"), 1), (43200.0, 43200)],
)
def test_rests_as_long_as_asked_but_never_longer_than_half_a_day(asked_s: float, rests_s: int) -> None:
    account = AccountFactory.build(id=1).rate_limited(START, retry_after_s=asked_s)

    assert account.rests[0].until == START + timedelta(seconds=rests_s)


def test_longer_pause_asked_for_while_it_rests_prolongs_the_rest_and_a_shorter_one_does_not_end_it() -> None:
    account = AccountFactory.build(id=1).rate_limited(START, retry_after_s=60)
    assert account.rate_limited(START, retry_after_s=600).rests[0].until == START + minutes(10)
    assert account.rate_limited(START, retry_after_s=1).rests[0].until == START + minutes(1)


def test_rest_without_an_end_stays_without_steps() -> None:
    account = AccountFactory.build(id=1).resting(RestReason.REFUSED, START, step=2)

    assert account.rate_limited(START, retry_after_s=None, reason=RestReason.REFUSED).rests[0].step == 2


def test_faults_below_the_threshold_only_count() -> None:
    account = AccountFactory.build(id=1)
    for streak in (1, 2):
        account = account.faulted(START, threshold=3)
        assert (account.streak, account.rests) == (streak, ())

    account = account.faulted(START, threshold=3, why="500")
    assert account.rests == (Rest(RestReason.ERROR_STREAK, START, START + STREAK_STEPS[0], why="500"),)


def test_after_a_streak_the_first_fault_rests_it_again_and_longer() -> None:
    account, now, pauses = AccountFactory.build(id=1, streaks=(Streak(None, 2),)), START, []
    for _ in range(5):
        account = account.faulted(now, threshold=3)
        until = account.rests[0].until
        assert until is not None
        pauses.append(until - now)
        now = until

    assert pauses == [*STREAK_STEPS, LONGEST_REST]


def test_faults_of_calls_that_were_under_way_do_not_prolong_a_streaks_rest() -> None:
    account = AccountFactory.build(id=1, streaks=(Streak(None, 2),))
    for _ in range(20):
        account = account.faulted(START, threshold=3)

    assert account.rests[0].until == START + STREAK_STEPS[0]


def test_success_forgets_what_is_over_and_nothing_else() -> None:
    now = START + minutes(10)
    over, on = START + minutes(1), now + minutes(1)
    account = AccountFactory.build(
        id=1,
        streaks=(Streak(CallKind.VIDEO, 2),),
        rests=(
            Rest(RestReason.RATE_LIMITED, START, over),
            Rest(RestReason.REFUSED, START, on),
            Rest(RestReason.QUOTA, START, over, model="film"),
            Rest(RestReason.QUOTA, START, over, model="paint"),
            Rest(RestReason.NO_ACCESS, START, over, model="film"),
            Rest(RestReason.AUTH_EXPIRED, START),
        ),
    )

    after = account.succeeded(now, "film", CallKind.VIDEO)

    assert after.streak == 0
    assert [(rest.reason, rest.model) for rest in after.rests] == [
        (RestReason.REFUSED, None),
        (RestReason.QUOTA, "paint"),
        (RestReason.NO_ACCESS, "film"),
        (RestReason.AUTH_EXPIRED, None),
    ]


def test_success_of_a_healthy_account_changes_nothing() -> None:
    account = AccountFactory.build(id=1)
    assert account.succeeded(START) is account


def test_keeps_only_the_rests_that_are_accepted() -> None:
    account = AccountFactory.build(id=1).resting(RestReason.MANUAL, START).resting(RestReason.UNUSABLE, START)
    assert [rest.reason for rest in account.without(lambda rest: rest.reason is RestReason.MANUAL).rests] == [
        RestReason.MANUAL
    ]


@pytest.mark.parametrize(
    ("life", "margin"),
    [
        (timedelta(hours=24), RENEWAL_MARGIN),
        (timedelta(hours=2), RENEWAL_MARGIN),
        (timedelta(hours=1), timedelta(minutes=30)),
        (timedelta(seconds=90), timedelta(seconds=45)),
    ],
)
def test_renewal_margin_is_an_hour_but_at_most_half_of_the_life(life: timedelta, margin: timedelta) -> None:
    account = AccountFactory.build(id=1, access_obtained_at=START, access_expires_at=START + life)
    assert account.renewal_margin() == margin
    assert replace(account, access_obtained_at=None).renewal_margin() == RENEWAL_MARGIN


@pytest.mark.parametrize("missing", ["tier", "workspace", "access_expires_at"])
def test_is_warm_only_with_plan_workspace_and_token(missing: str) -> None:
    assert AccountFactory.build(id=1).is_warm
    assert not AccountFactory.build(id=1, **{missing: None}).is_warm


@pytest.mark.parametrize(
    ("workspace", "name", "after"),
    [
        (None, None, ("p-1", "Mugs")),
        ("p-1", None, ("p-1", "Mugs")),
        ("p-2", None, ("p-2", None)),
        ("p-2", "Cups", ("p-2", "Cups")),
        (None, "Cups", ("p-1", "Cups")),
        (None, "", ("p-1", None)),
        ("", "Cups", (None, "Cups")),
    ],
)
def test_name_of_a_project_is_not_taken_over_by_another_one(
    workspace: str | None, name: str | None, after: tuple[str | None, str | None]
) -> None:
    account = AccountFactory.build(id=1, workspace="p-1", workspace_name="Mugs").working_in(workspace, name)
    assert (account.workspace, account.workspace_name) == after


def test_capacity_is_by_kind() -> None:
    capacity = Capacity(image=4)
    assert (capacity.of(MediaKind.IMAGE), capacity.of(MediaKind.VIDEO)) == (4, None)


def test_access_token_is_fresh_until_its_margin() -> None:
    credentials = Credentials(Secret("s"), Secret("a"), START + minutes(10))
    assert credentials.is_fresh(START)
    assert not credentials.is_fresh(START, minutes(10))
    assert not Credentials(Secret("s")).is_fresh(START)
    assert not Credentials(Secret("s"), Secret("a")).is_fresh(START)


def test_folding_keeps_dots_and_tags_of_an_address() -> None:
    assert fold_email("  An.Na+x@Example.COM ") == "an.na+x@example.com"


class Life(RuleBasedStateMachine):
    """Whatever happens to an account in whatever order: what lifts a rest is its own cure or its time."""

    model = st.sampled_from(["film", "paint", None])
    call = st.sampled_from([None, *CallKind])

    @initialize()
    def begin(self) -> None:
        self.now: datetime = START
        self.account: Account = AccountFactory.build(id=1)

    def became(self, after: Account) -> None:
        """A step that is no cure lifts nothing that holds, but a streak's rest, which a success at such a call ends."""
        gone = [rest for rest in self.account.rests if rest.holds(self.now) and not self.still_rests(after, rest)]
        assert not gone
        self.account = after

    def still_rests(self, after: Account, rest: Rest) -> bool:
        now_recorded = after.rest_of(*rest.scope)
        return now_recorded is not None and now_recorded.holds(self.now)

    @rule(seconds=st.floats(0, 100_000))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(retry=st.none() | st.floats(), scope=model, call=call)
    def too_fast(self, retry: float | None, scope: str | None, call: CallKind | None) -> None:
        self.became(self.account.rate_limited(self.now, retry_after_s=retry, model=scope, call=call))

    @rule(retry=st.none() | st.floats(0, 1e6), scope=model)
    def used_up(self, retry: float | None, scope: str | None) -> None:
        self.became(self.account.rate_limited(self.now, retry_after_s=retry, model=scope, reason=RestReason.QUOTA))

    @rule()
    def refused(self) -> None:
        self.became(self.account.rate_limited(self.now, retry_after_s=None, reason=RestReason.REFUSED))

    @rule(threshold=st.integers(1, 5), call=call)
    def own_fault(self, threshold: int, call: CallKind | None) -> None:
        before = {one: self.account.blocking_rest(self.now, one) for one in CallKind if call not in (None, one)}
        self.became(self.account.faulted(self.now, threshold=threshold, call=call))
        assert before == {one: self.account.blocking_rest(self.now, one) for one in before}

    @rule(reason=st.sampled_from([RestReason.MANUAL, RestReason.AUTH_EXPIRED, RestReason.UNUSABLE]))
    def rests_for_good(self, reason: RestReason) -> None:
        self.became(self.account.resting(reason, self.now))

    @rule(scope=model, call=call)
    def success(self, scope: str | None, call: CallKind | None) -> None:
        before, self.account = self.account, self.account.succeeded(self.now, scope, call)
        for rest in before.rests:
            is_streak_there = rest.reason is RestReason.ERROR_STREAK and rest.call in (None, call)
            if rest.holds(self.now):
                assert self.still_rests(self.account, rest) is not is_streak_there
        assert all(one.call not in (None, call) for one in self.account.streaks)
        kept = [one for one in before.streaks if one.call not in (None, call)]
        assert list(self.account.streaks) == kept

    @rule(cure=st.sampled_from(Cure))
    def cured(self, cure: Cure) -> None:
        after = self.account.cured(cure)
        for rest in self.account.rests:
            lifted = cure in CURED_BY[rest.reason] and not (cure is Cure.CREDITS_SEEN and rest.model is not None)
            assert (rest not in after.rests) is lifted
        self.account = after

    @invariant()
    def rests_at_most_half_a_day(self) -> None:
        for rest in self.account.rests:
            if rest.reason not in (RestReason.MANUAL, RestReason.AUTH_EXPIRED, RestReason.UNUSABLE):
                assert rest.until is not None
                assert rest.until <= rest.since + LONGEST_REST or rest.until <= self.now + LONGEST_REST

    @invariant()
    def whatever_keeps_it_from_work_has_a_cure_to_come(self) -> None:
        """Half a day and every cure later it works again, whatever happened, and a few successes make it whole."""
        later, account = self.now + LONGEST_REST, self.account
        for cure in Cure:
            account = account.cured(cure)
        assert account.status(later) is AccountStatus.ACTIVE
        assert all(account.blocking_rest(later, call) is None for call in CallKind)
        for model in ("film", "paint"):
            assert account.model_rest(model, later) is None
            for call in CallKind:
                account = account.succeeded(later, model, call)
        assert (account.rests, account.streaks) == ((), ())

    @invariant()
    def reasons_are_recorded_once_for_each_scope(self) -> None:
        scopes = [rest.scope for rest in self.account.rests]
        assert len(scopes) == len(set(scopes))
        calls = [streak.call for streak in self.account.streaks]
        assert len(calls) == len(set(calls))

    @invariant()
    def status_follows_from_the_reasons(self) -> None:
        """It stands as it does at what it does best."""
        order = list(AccountStatus)
        held = [rest for rest in self.account.rests if rest.model is None and rest.holds(self.now)]
        by_kind = [
            max((order.index(STATUS_OF[rest.reason]) for rest in held if rest.call in (None, call)), default=0)
            for call in (CallKind.PICTURE, CallKind.VIDEO)
        ]
        assert self.account.status(self.now) is order[min(by_kind)]
        assert (self.account.blocking_rest(self.now) is None) is (min(by_kind) == 0)

    @invariant()
    def events_tell_whatever_changes(self) -> None:
        """The timeline from a healthy account to this one begins every rest that holds, and nothing else."""
        fresh = AccountFactory.build(id=1)
        begun = [event for event in changes(fresh, self.account, self.now) if event.kind is HealthKind.REST_BEGUN]
        held = [rest.scope for rest in self.account.rests if rest.holds(self.now)]
        assert [(event.reason, event.model, event.call) for event in begun] == held


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@given(st.integers(1, 30), st.integers(1, 10))
def test_streak_rests_exactly_from_the_threshold_on(faults: int, threshold: int) -> None:
    account = AccountFactory.build(id=1)
    for _ in range(faults):
        account = account.faulted(START, threshold=threshold)
    assert account.streak == faults
    assert bool(account.rests) is (faults >= threshold)


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        (CredentialKind.SESSION, [RestReason.NO_ACCESS, RestReason.RATE_LIMITED]),
        (CredentialKind.API_KEY, [RestReason.RATE_LIMITED]),
        (CredentialKind.API_KEY_AND_BASE_URL, [RestReason.RATE_LIMITED]),
    ],
)
def test_new_session_is_of_the_same_plan_and_a_new_key_may_be_of_another(
    kind: CredentialKind, left: list[RestReason]
) -> None:
    account = AccountFactory.build(rests=(), streaks=()).resting(RestReason.AUTH_EXPIRED, START)
    account = account.resting(RestReason.NO_ACCESS, START, model="paint").resting(RestReason.RATE_LIMITED, START)
    assert [rest.reason for rest in account.with_new_secret(kind).rests] == left


def test_host_knows_nothing_of_what_another_one_has_refused() -> None:
    account = AccountFactory.build(rests=(), base_url="https://a.example/v1", streaks=(Streak(None, 2),))
    for reason in RestReason:
        account = account.resting(reason, START)

    moved = account.served_at("https://b.example/v1")

    assert account.served_at("https://a.example/v1") is account
    assert (moved.base_url, moved.streaks) == ("https://b.example/v1", ())
    assert [rest.reason for rest in moved.rests] == [RestReason.MANUAL, RestReason.AUTH_EXPIRED]
