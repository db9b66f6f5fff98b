"""Options in force: stored ones under fixed ones, and the former ones while the stored ones make no sense."""

import pytest
from structlog.testing import capture_logs

from flow2api.app.current_options import CurrentOptions
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.options import Options
from tests.fakes.storage import FakeStorage


def policies() -> frozenset[str]:
    return frozenset({"least_busy", "random"})


async def test_fixed_options_lie_over_stored_ones_and_those_over_defaults() -> None:
    storage = FakeStorage()
    options = CurrentOptions(storage.options, {"max_attempts": 2}, policies)
    assert options() == Options(max_attempts=2)
    await storage.options.write({"max_attempts": 5, "poll_batch": 7}, "operator")
    assert options() == Options(max_attempts=2)
    await options.reload()
    assert options() == Options(max_attempts=2, poll_batch=7)


@pytest.mark.parametrize("stored", [{"max_attempts": "many"}, {"policy": "gone"}, {"unheard_of": 1}])
async def test_stored_options_that_cannot_be_used_leave_the_former_ones_in_force(stored: dict[str, object]) -> None:
    storage = FakeStorage()
    options = CurrentOptions(storage.options, {}, policies)
    await storage.options.write({"poll_batch": 7}, "operator")
    await options.reload()
    await storage.options.write(stored, "operator")
    with capture_logs() as logs:
        await options.reload()
    assert options() == Options(poll_batch=7)
    (warning,) = logs
    assert next(iter(stored)) in warning["reason"] or "gone" in warning["reason"]


def test_fixed_policy_that_nobody_offers_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="'fastest'; there are least_busy, random"):
        CurrentOptions(FakeStorage().options, {"policy": "fastest"}, policies)


async def test_options_that_do_not_fit_what_is_installed_are_refused() -> None:
    def check(options: Options) -> None:
        if options.model_routes:
            raise ConfigurationError("The option model_routes leads nowhere.")

    storage = FakeStorage()
    options = CurrentOptions(storage.options, {}, policies, check=check)
    await storage.options.write({"model_routes": {"best": ["gone"]}}, "operator")
    with capture_logs() as logs:
        await options.reload()
    assert options() == Options()
    assert logs[0]["reason"] == "The option model_routes leads nowhere."
    with pytest.raises(ConfigurationError, match="leads nowhere"):
        CurrentOptions(storage.options, {"model_routes": {"best": ["gone"]}}, policies, check=check)
