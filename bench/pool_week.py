"""A week with 200 accounts of all kinds, on a clock that jumps: what the pool makes of it, and whether its promises hold.

python bench/pool_week.py [--day] [--requests 5000] [--seed 7] [--plots docs/images]

Nothing is opened but a database in a temporary folder: the simulator runs in the same process, and its time is that of
the gateway. It takes about a minute of one core. The exit code is 1 when a promise does not hold.
"""

import argparse
import logging
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from week_plot import Series, bars, stacked

from tests.pool_week.ledger import OUTCOMES, SAMPLE_S, STATES
from tests.pool_week.loop import run
from tests.pool_week.proofs import PROOFS, rests_begun, rows_by_state
from tests.pool_week.week import DAY, WEEK, Played, folder_in_memory, play

HOUR_S = 3600.0
STATE_WORDS = {
    "rate_limited": "told to slow down",
    "quota": "share of the day used up",
    "refused": "refused as unusual",
    "error_streak": "errors in a row",
    "auth_expired": "needs a sign-in",
    "unusable": "moved to the successor",
    "manual": "switched off",
}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--day", action="store_true", help="the shorter variant that the tests play")
    parser.add_argument("--requests", type=int, help="about how many generations are asked for; at most 20,000")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="write the plots there")
    return parser.parse_args()


def main() -> int:
    wanted = parse()
    scenario = replace(DAY if wanted.day else WEEK, seed=wanted.seed)
    if wanted.requests:
        scenario = replace(scenario, requests=min(wanted.requests, 20_000))
    logging.getLogger("flow2api").setLevel(logging.ERROR)
    began, cpu = time.perf_counter(), time.process_time()
    with folder_in_memory() as folder:
        played = run(lambda: play(scenario, Path(folder)))
    took = f"{time.process_time() - cpu:.0f} s of CPU, {time.perf_counter() - began:.0f} s in all"
    failures = {name: proof(played) for name, proof in PROOFS.items()}
    print("\n".join(table(played, took)))
    for name, found in failures.items():
        print(f"{'BROKEN' if found else 'holds '}  {name}")
        print("".join(f"        {one}\n" for one in found[:10]), end="")
    if wanted.plots:
        plot(played, wanted.plots)
    return 1 if any(failures.values()) else 0


def table(played: Played, took: str) -> list[str]:
    """The figures as a Markdown table."""
    ledger, scenario = played.ledger, played.scenario
    ended = sum(ledger.outcomes.values(), Counter[str]())
    first_day = [calls for (_, day), calls in ledger.vain.items() if day == 0]
    later = [calls for (_, day), calls in ledger.vain.items() if day > 0]
    idle_h = {reason: samples * SAMPLE_S / HOUR_S for reason, samples in ledger.idle_samples.items()}
    share = sum(idle_h.values()) / (scenario.accounts * scenario.hours)
    revived = len(played.truth.revived)
    makes = Counter(job.kind for job in played.world.jobs.all())
    rows = [
        ("simulated", f"{scenario.hours} h, {scenario.accounts} accounts, {played.asked:,} requests"),
        ("taken", took),
        ("calls that the service got", f"{sum(ledger.calls.values()):,}"),
        ("ends", ", ".join(f"{ended[name]:,} {name}" for name in OUTCOMES)),
        ("failed with", _counted(Counter(_failures(played)))),
        ("records", _counted(rows_by_state(played.rows))),
        ("videos that the service accepted", f"{makes['t2v']:,}, and {makes['upscale']:,} enlargements"),
        ("rests begun", _counted(rests_begun(played.events))),
        ("rests begun in the outage", str(_rests_in_outage(played))),
        ("accounts that died / were signed in again", f"{len(played.truth.died)} / {revived}"),
        ("calls in vain per dead account, first day", f"{max(first_day, default=0)} at most"),
        ("calls in vain per dead account, each later day", f"{max(later, default=0)} at most"),
        (
            "time that accounts rested although they could have served",
            f"{100 * share:.2f} % ({_counted(Counter({reason: round(hours) for reason, hours in idle_h.items()}))} h)",
        ),
    ]
    return ["| what | figure |", "|---|---|", *(f"| {what} | {figure} |" for what, figure in rows), ""]


def plot(played: Played, folder: Path) -> None:
    """Write both plots."""
    folder.mkdir(parents=True, exist_ok=True)
    hours, outage = played.scenario.hours, tuple(at / HOUR_S for at in played.truth.outage)
    samples = played.ledger.states[::2]  # every half hour is as much as can be seen
    states = [
        Series(STATE_WORDS[name], [float(counts[name]) for _, counts in samples])
        for name in STATES
        if name in STATE_WORDS
    ]
    times = [at_s / HOUR_S for at_s, _ in samples]
    title = f"Accounts that are kept from work, of {played.scenario.accounts}"
    text = stacked(title, times, [one for one in states if any(one.values)], hours, outage)
    (folder / "pool-week-accounts.svg").write_text(text)
    ends = [Series(name, [float(played.ledger.outcomes[hour][name]) for hour in range(hours)]) for name in OUTCOMES]
    text = bars("Requests that ended in each hour", [one for one in ends if any(one.values)], hours, outage)
    (folder / "pool-week-requests.svg").write_text(text)


def _failures(played: Played) -> list[str]:
    return [
        code for (code, _), count in played.ledger.codes.items() for _ in range(count) if code != "moderation_blocked"
    ]


def _rests_in_outage(played: Played) -> int:
    begin, end = played.truth.outage
    return rests_begun([event for event in played.events if begin <= event.at_s <= end]).total()


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common()) or "none"


if __name__ == "__main__":
    sys.exit(main())
