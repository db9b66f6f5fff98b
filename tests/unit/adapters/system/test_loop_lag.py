"""How late the event loop is."""

import asyncio

from flow2api.adapters.system.loop_lag import EVERY_S, LoopLag


def test_nothing_is_known_before_the_first_measurement() -> None:
    assert LoopLag().percentile_s(0.5) is None


def test_shares_of_what_was_measured() -> None:
    lag = LoopLag()
    for late_s in [*[0.001] * 98, 0.2, 3.0]:
        lag.note(late_s)
    assert lag.percentile_s(0.5) == 0.001
    assert lag.percentile_s(0.98) == 0.2
    assert lag.percentile_s(1.0) == 3.0


def test_a_timer_that_comes_early_is_on_time_and_old_measurements_go() -> None:
    lag = LoopLag()
    lag.note(5.0)
    for _ in range(240):
        lag.note(-0.1)
    assert lag.percentile_s(1.0) == 0.0


async def test_measures_by_a_timer_that_should_come_on_time() -> None:
    lag, loop = LoopLag(), asyncio.get_running_loop()
    running = asyncio.create_task(lag.run())
    began = loop.time()
    while lag.percentile_s(1.0) is None:
        await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.wait([running])
    assert loop.time() - began >= EVERY_S * 0.9
    late_s = lag.percentile_s(1.0)
    assert late_s is not None
    assert late_s < 5
