from datetime import timedelta

import pytest

from flow2api.domain.account import AccountStatus, RestReason
from flow2api.domain.errors import UpstreamUnavailableError
from flow2api.testing.fakes.clock import START
from flow2api.testing.fakes.players import FakePlayer
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage


@pytest.fixture
def players(run: CommandLine, stage: Stage) -> list[FakePlayer]:
    """Three accounts at the upstream, added here, too."""
    players = [stage.upstream.add_player(credits=left) for left in (100, 200, 300)]
    for player in players:
        token = player.session_tokens[-1]
        added = run("accounts", "add", "--upstream", "fake", "--session-token-file", "-", stdin=token)
        assert added.code == 0, added.err
    return players


@pytest.mark.usefixtures("players")
def test_refresh_of_one_asks_the_upstream_and_keeps_what_it_says(run: CommandLine, stage: Stage) -> None:
    (outcome,) = run("accounts", "refresh", "2", "--json").json["accounts"]

    assert (outcome["outcome"], outcome["problem"], outcome["credits"], outcome["tier"]) == (
        "refreshed",
        None,
        200,
        "pro",
    )
    kept = stage.tables.accounts[2]
    assert kept.is_warm
    assert (kept.email, kept.credits) == ("player2@example.com", 200)
    assert [stage.upstream.count(call) for call in ("exchange", "allowance", "open_workspace")] == [1, 1, 1]


@pytest.mark.usefixtures("players")
def test_refresh_of_a_warm_account_exchanges_once_more(run: CommandLine, stage: Stage) -> None:
    run("accounts", "refresh", "1")
    before = stage.tables.credentials[1].access_token

    assert run("accounts", "refresh", "1").code == 0
    assert stage.tables.credentials[1].access_token != before
    assert stage.upstream.count("open_workspace") == 1


@pytest.mark.usefixtures("players")
def test_refresh_of_all_leaves_alone_what_is_switched_off(run: CommandLine, stage: Stage) -> None:
    run("accounts", "disable", "2")

    ran = run("accounts", "refresh", "--all")

    assert ran.code == 0, ran.err
    assert [stage.tables.accounts[number].is_warm for number in (1, 2, 3)] == [True, False, True]
    assert "enable it first" in ran.out


def test_one_failure_is_told_and_stops_no_other(run: CommandLine, stage: Stage, players: list[FakePlayer]) -> None:
    players[0].is_revoked = True

    ran = run("accounts", "refresh", "--all", "--json")

    assert ran.code == 1
    assert [one["outcome"] for one in ran.json["accounts"]] == ["failed", "refreshed", "refreshed"]
    assert ran.json["accounts"][0]["problem"]
    kept = stage.tables.accounts[1]
    assert kept.rest_of(RestReason.AUTH_EXPIRED) is not None
    assert run("accounts", "refresh", "1", "--json").json["accounts"][0]["outcome"] == "skipped"


@pytest.mark.usefixtures("players")
def test_naming_an_account_that_is_skipped_is_a_failure(run: CommandLine) -> None:
    run("accounts", "disable", "1")

    assert run("accounts", "refresh", "1").code == 1


@pytest.mark.usefixtures("players")
def test_upstream_out_of_reach_harms_no_account(run: CommandLine, stage: Stage) -> None:
    stage.upstream.fail("exchange", UpstreamUnavailableError("Nobody answers.", reached=False), times=None)

    ran = run("accounts", "refresh", "1", "--json")

    assert ran.code == 1
    assert ran.json["accounts"][0]["problem"] == "Nobody answers."
    assert stage.tables.accounts[1].status(START + timedelta(days=9999)) is AccountStatus.ACTIVE


@pytest.mark.parametrize("arguments", [(), ("1", "--all")])
def test_one_or_all_has_to_be_said(run: CommandLine, arguments: tuple[str, ...]) -> None:
    assert run("accounts", "refresh", *arguments).code == 2


@pytest.mark.usefixtures("players")
def test_everything_that_was_opened_is_closed(run: CommandLine, stage: Stage) -> None:
    run("accounts", "refresh", "1")

    assert stage.upstream.is_closed
    assert stage.storage.opened == stage.storage.closed
