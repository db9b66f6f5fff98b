"""How one account stands and what it went through, on the command line."""

import getpass
from datetime import UTC, datetime, timedelta

from flow2api.domain.account import CallKind, RestReason
from flow2api.testing.factories import AccountFactory
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage
from tests.unit.cli.test_accounts import add

USER = getpass.getuser()


def test_show_tells_account_rests_and_events_the_latest_first(run: CommandLine, stage: Stage) -> None:
    number = add(run, "eyJ" + "x" * 300, "--name", "first")
    run("accounts", "disable", "first")
    now = datetime.now(UTC)
    account = stage.tables.accounts[number].faulted(now, threshold=1, why="500", call=CallKind.UPLOAD)
    stage.tables.accounts[number] = account.resting(
        RestReason.QUOTA, now - timedelta(hours=2), until=now - timedelta(hours=1), model="film"
    )

    shown = run("accounts", "show", "first", "--json").json

    assert shown["account"]["status"] == "disabled"
    assert {rest["reason"]: (rest["call"], rest["model"], rest["holds"]) for rest in shown["rests"]} == {
        "manual": (None, None, True),
        "error_streak": ("upload", None, True),
        "quota": (None, "film", False),
    }
    assert shown["streaks"] == {"upload": 1}
    assert [(event["kind"], event["reason"], event["by"]) for event in shown["events"]] == [
        ("rest_begun", "manual", USER),
        ("added", None, USER),
    ]
    assert shown["next"] is None
    text = run("accounts", "show", str(number)).out
    for word in ("first", "disabled", "error streak", "upload", "rest begun", USER, "over"):
        assert word in text


def test_show_pages_through_the_events(run: CommandLine) -> None:
    add(run, "eyJ" + "x" * 300, "--name", "first")
    for _ in range(3):
        run("accounts", "disable", "first")
        run("accounts", "enable", "first")

    seen, behind = list[int](), list[str]()
    while True:
        page = run("accounts", "show", "first", "--json", "--events", "3", *behind).json
        seen += [event["number"] for event in page["events"]]
        if page["next"] is None:
            break
        behind = ["--before", str(page["next"])]

    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 7


def test_show_of_a_healthy_new_account_says_so(run: CommandLine, stage: Stage) -> None:
    stage.tables.accounts[4] = AccountFactory.build(id=4, name="quiet", email=None)

    ran = run("accounts", "show", "quiet")

    assert ran.code == 0
    assert "It rests for no reason." in ran.err
    assert "Nothing is known" in ran.err


def test_show_tells_that_only_the_proxy_is_missing(run: CommandLine, stage: Stage) -> None:
    stage.tables.accounts[4] = AccountFactory.build(id=4, name="cut off", email=None, proxy="gone")

    ran = run("accounts", "show", "cut off")

    assert "There is no proxy 'gone' for it." in ran.err
    assert "It rests for no reason." not in ran.err
    assert run("accounts", "show", "cut off", "--json").json["no_way"] == "There is no proxy 'gone' for it."


def test_show_of_nobody_is_refused(run: CommandLine) -> None:
    ran = run("accounts", "show", "nobody")
    assert ran.code == 1
    assert "There is no account 'nobody'" in ran.err


def test_import_is_told_apart_from_adding(run: CommandLine, stage: Stage) -> None:
    rows = '[{"email": "a@example.com", "session_token": "' + "eyJ" + "y" * 300 + '"}]'
    ran = run("accounts", "import", "-", stdin=rows)
    assert ran.code == 0, ran.err
    assert [event.kind.value for event in stage.tables.health] == ["imported"]
