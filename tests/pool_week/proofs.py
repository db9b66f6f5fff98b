"""What has to be true of a run, from its end states and from the simulator's own record. Each proof lists what breaks it."""

from collections import Counter, defaultdict

from flow2api.domain.account import Account, AccountStatus, Rest, RestReason
from flow2api.domain.failover import NO_ACCESS_REST
from flow2api.simulator.accounts import Account as Player
from flow2api.simulator.jobs import Job
from tests.pool_week.ledger import overlap, slots_of
from tests.pool_week.load import LARGE_PICTURE, LARGE_VIDEO, VIDEO
from tests.pool_week.players import PROXIES
from tests.pool_week.week import Event, Played, Row

FINAL = {"completed", "failed", "cancelled"}
UNTROUBLED = ("steady", "ultra", "studio", "callers", "short_token")
"""Kinds that nothing befalls but the outage and what hits anybody now and then."""

LATER_DAYS = 2
"""Calls in vain for a dead account on each day after the first: the keeper looks once a day whether one that was moved is back."""

REASONS = ("rate_limited", "quota", "refused", "auth_expired", "unusable")
CODES = ("moderation_blocked", "upstream_paused", "upstream_state_unknown")

AFTERMATH_S = 60.0
OF_CALLERS = ("UNSAFE", "FILTER", "BLOCKED", "SAFETY", "PROMPT")


def lost(played: Played) -> list[str]:
    """Requests without an end, ends without a record, records that do not say how it ended."""
    rows = {row.prompt: row for row in played.rows}
    found = [f"{row.id} is {row.state}" for row in played.rows if row.state not in FINAL]
    found += [
        f"{row.id} failed without a reason" for row in played.rows if row.state == "failed" and not row.fault_code
    ]
    if len(played.ledger.ended) != played.asked:
        found.append(f"{played.asked} requests, {len(played.ledger.ended)} ends")
    for outcome in played.ledger.ended:
        row = rows.get(outcome.asked.prompt)
        if outcome.error is None and (row is None or row.state != "completed"):
            found.append(f"{outcome.asked.prompt} finished, its record is {row}")
        if outcome.error is not None and row is not None and (row.state, row.fault_code) != ("failed", outcome.code):
            found.append(f"{outcome.asked.prompt} ended with {outcome.code}, its record is {row}")
        if outcome.error is not None and row is None and outcome.generation_id is not None:
            found.append(f"{outcome.asked.prompt} was begun and has no record")
    return found


def paid_amiss(played: Played) -> list[str]:
    """Videos that were paid more than once, or completed without being paid, or paid and unknown to the records."""
    jobs: defaultdict[str, list[Job]] = defaultdict(list)
    for job in played.world.jobs.all():
        jobs[job.prompt].append(job)
    rows = {row.prompt: row for row in played.rows if row.kind == "video"}
    found = [f"{prompt} was paid without a record" for prompt in jobs if prompt not in rows]
    for prompt, row in rows.items():
        makes = Counter(job.kind for job in jobs[prompt])
        account = {played.player_of[row.account_id].id} if row.account_id is not None else set()
        if any(count > 1 for count in makes.values()):
            found.append(f"{prompt} was paid {makes}")
        if row.state == "completed" and makes["t2v"] != 1:
            found.append(f"{prompt} is completed and was paid {makes}")
        if row.state == "completed" and {job.account.id for job in jobs[prompt]} != account:
            found.append(f"{prompt} was paid by another account than its record tells")
        if row.state == "failed" and makes and not (row.operation or row.fault_code == "upstream_state_unknown"):
            found.append(f"{prompt} was paid, and its record does not say so: {row}")
    return found


def over_capacity(played: Played) -> list[str]:
    """Players that carried more at once than their account has slots."""
    spans: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for job in played.world.jobs.all():
        assert job.ends_at is not None
        spans[job.account.id].append((job.created_at, job.ends_at))
    found = []
    for account_id, player in played.player_of.items():
        account = _account(played, account_id)
        if player.counters.peak_jobs > slots_of(account):
            found.append(f"{player.knobs.email}: {player.counters.peak_jobs} of {slots_of(account)} slots")
        if (most := overlap(spans[player.id])) > (account.capacity.video or 0):
            found.append(f"{player.knobs.email}: {most} videos, {account.capacity.video} slots")
    return found


def hammered(played: Played) -> list[str]:
    """Dead players that were called more often than what was under way explains.

    When an account dies, each of its slots may be in a call and the keeper at a visit; each of them is refused, renews, and
    is refused once more: two calls for each on the first day. Later there is nobody who calls.
    """
    found = []
    for (player_id, day), calls in sorted(played.ledger.vain.items()):
        slots = slots_of(_account(played, _id_of(played, player_id)))
        if calls > (2 * (slots + 1) if day == 0 else LATER_DAYS):
            found.append(f"{player_id} ({played.cast.kind_of[player_id].name}): {calls} calls on day {day}")
    return found


def resting_unjustly(played: Played) -> list[str]:
    """Players that could serve while their accounts rest, at the end."""
    found = []
    for account_id, player in played.player_of.items():
        account = _account(played, account_id)
        if not played.cast.kind_of[player.id].is_enabled or not played.witness.could_serve(player):
            continue
        held = [rest for rest in account.rests if rest.holds(played.end) and not _is_just(rest, player, played)]
        if held or not account.is_warm:
            found.append(f"{player.knobs.email}: {held or 'is not warm'}")
    return found


def not_noticed(played: Played) -> list[str]:
    """Players that are dead in the end while their accounts do not say so."""
    return [
        f"{player.knobs.email}: {_account(played, account_id).status(played.end)}"
        for account_id, player in played.player_of.items()
        if player.id in played.truth.died.keys() - played.truth.revived.keys()
        and _account(played, account_id).status(played.end) is not AccountStatus.SUSPENDED
    ]


def blamed(played: Played) -> list[str]:
    """Rests of accounts that nothing befell, outside the outage, and rests of any account for a caller's prompt."""
    begin, end = played.truth.outage
    found = []
    for event in played.events:
        kind = played.cast.kind_of[played.player_of[event.account_id].id].name
        if not event.kind.startswith("rest") or event.reason in (None, "manual") or event.kind == "rest_lifted":
            continue
        is_in_outage = begin <= event.at_s <= end + AFTERMATH_S
        if (kind in UNTROUBLED and not is_in_outage) or any(word in event.cause.upper() for word in OF_CALLERS):
            found.append(f"{kind} {event}")
    return found


def stopped_too_much(played: Played) -> list[str]:
    """Accounts with a fault of one kind of call that rested from others, or made nothing else."""
    expected = {"upscale_broken": ("enlargement", {LARGE_PICTURE}), "video_broken": ("video", {VIDEO, LARGE_VIDEO})}
    begin, end = played.truth.outage
    found = []
    for event in played.events:
        kind = played.cast.kind_of[played.player_of[event.account_id].id].name
        is_rest = event.kind in ("rest_begun", "probation_failed") and not begin <= event.at_s <= end + AFTERMATH_S
        if kind in expected and is_rest and event.call != expected[kind][0]:
            found.append(f"{kind} {event}")
    until_s = 0.9 * played.scenario.troubled_h * 3600.0
    made = Counter(
        played.player_of[row.account_id].id
        for row in played.rows
        if row.account_id is not None and row.state == "completed" and row.ended_s < until_s and row.kind == "image"
    )
    found += [
        f"{player.knobs.email} made no picture"
        for kind in expected
        for player in played.cast.by_kind[kind]
        if not made[player.id]
    ]
    return found


def not_met(played: Played) -> list[str]:
    """What was to be withstood and did not come: a run without it proves nothing of it."""
    rests, codes = rests_begun(played.events), {code for code, _ in played.ledger.codes}
    found = [f"nobody rested for {reason}" for reason in REASONS if not rests[reason]]
    found += [f"no request ended with {code}" for code in CODES if code not in codes]
    dead, revived = played.truth.died.keys(), played.truth.revived.keys()
    if not revived or not revived < dead:
        found.append(f"{len(dead)} accounts died, {len(revived)} of them were signed in again")
    if not any(len({url for one, url in played.left_by if one == player.id}) > 1 for player in played.cast.all()):
        found.append("no account has moved to another proxy")
    if not any(player.counters.peak_jobs == slots_of(_account(played, of)) for of, player in played.player_of.items()):
        found.append("no account was ever full")
    return found


def left_past_their_proxy(played: Played) -> list[str]:
    """Players whose calls left by another way than the operator has given them, dead proxies or not."""
    found = []
    for (player_id, url), calls in played.left_by.items():
        kind = played.cast.kind_of[player_id]
        if url not in PROXIES.get(kind.way, {"": None}).values():
            found.append(f"{player_id} ({kind.name}): {calls} calls by {url or 'the direct way'}")
    return found


PROOFS = {
    "all troubles have come": not_met,
    "no generation is lost": lost,
    "one paid submit for each completed video": paid_amiss,
    "slots are never exceeded": over_capacity,
    "no dead account is hammered": hammered,
    "no healthy account is left resting": resting_unjustly,
    "every dead account is known to be": not_noticed,
    "callers' faults change no health": blamed,
    "a fault of one kind of call stops no other": stopped_too_much,
    "nobody leaves past a proxy": left_past_their_proxy,
}


def _is_just(rest: Rest, player: Player, played: Played) -> bool:
    """Whether a rest from a part of the work holds for a reason that still is one, or was one within its time."""
    if rest.model is None and rest.call is None:
        return False
    if rest.reason is RestReason.NO_ACCESS:
        return played.end - rest.since < NO_ACCESS_REST
    used = player.usage if player.usage_day == played.world.clock.today() else {}
    return rest.reason is RestReason.QUOTA and any(
        used.get(key, 0) >= limit for key, limit in player.knobs.model_quota_per_day.items()
    )


def _account(played: Played, account_id: int) -> Account:
    account = played.services.pool.get(account_id)
    assert account is not None
    return account


def _id_of(played: Played, player_id: str) -> int:
    return next(account_id for account_id, player in played.player_of.items() if player.id == player_id)


def rows_by_state(rows: list[Row]) -> Counter[str]:
    """How many records ended how."""
    return Counter(f"{row.kind} {row.state}" for row in rows)


def rests_begun(events: list[Event]) -> Counter[str]:
    """How often accounts went to rest, by reason."""
    return Counter(event.reason or "" for event in events if event.kind in ("rest_begun", "probation_failed"))
