from pathlib import Path

import pytest

from flow2api.domain.account import Capacity, RestReason
from flow2api.domain.secret import Secret
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage


@pytest.fixture
def one(run: CommandLine, token_file: Path) -> None:
    added = run(
        "accounts", "add", "--upstream", "fake", "--session-token-file", token_file, "--name", "one", "--tag", "eu"
    )
    assert added.code == 0, added.err


@pytest.mark.usefixtures("one")
def test_what_is_said_changes_and_the_rest_stays(run: CommandLine, stage: Stage) -> None:
    ran = run(
        "accounts", "update", "one", "--name", "first", "--email", "Me@Example.com", "--remark", "lent", "--weight", "7",
        "--priority", "2", "--image-slots", "3", "--video-slots", "0", "--workspace", "w", "--json",
    )  # fmt: skip

    assert ran.code == 0, ran.err
    assert ran.json["weight"] == 7
    kept = stage.tables.accounts[1]
    assert (kept.name, kept.email, kept.remark, kept.weight, kept.priority, kept.capacity, kept.workspace) == (
        "first", "me@example.com", "lent", 7, 2, Capacity(3, 0), "w",
    )  # fmt: skip
    assert kept.tags == {"eu"}
    again = run("accounts", "update", "1", "--image-slots", "any", "--workspace", "")
    assert again.code == 0
    kept = stage.tables.accounts[1]
    assert (kept.capacity, kept.workspace, kept.weight) == (Capacity(None, 0), None, 7)


@pytest.mark.usefixtures("one")
def test_change_is_in_the_feed_and_in_the_audit_log(run: CommandLine, stage: Stage) -> None:
    changes, entries = len(stage.tables.changes), len(stage.tables.audit)

    run("accounts", "update", "one", "--weight", "5")
    run("accounts", "update", "one", "--weight", "5")

    assert [(change.what, change.id) for change in stage.tables.changes[changes:]] == [("account", "1")]
    (entry,) = stage.tables.audit[entries:]
    assert (entry.action, entry.subject, entry.actor.door) == ("account.changed", "1", "command_line")
    assert entry.details == {"before": {"weight": 1}, "after": {"weight": 5}}


@pytest.mark.usefixtures("one")
def test_new_session_token_cures_what_it_can(run: CommandLine, stage: Stage, tmp_path: Path) -> None:
    ended = stage.tables.accounts[1].resting(RestReason.AUTH_EXPIRED, stage.upstream.clock.now())
    stage.tables.accounts[1] = ended
    token = "eyJ" + "n" * 300

    ran = run("accounts", "update", "one", "--session-token-file", "-", stdin=token)

    assert ran.code == 0, ran.err
    assert stage.tables.accounts[1].rests == ()
    assert stage.tables.credentials[1].session_token == Secret(token)
    assert token not in repr(stage.tables.audit)


@pytest.mark.usefixtures("one")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("--weight", "0"), 2),
        (("--weight", "101"), 2),
        (("--priority", "-1"), 2),
        (("--image-slots", "many"), 2),
        (("--email", "nobody"), 1),
        (("--name", "x" * 129), 1),
        (("--workspace", "../../elsewhere?x#"), 1),
    ],
)
def test_bad_change_changes_nothing(run: CommandLine, stage: Stage, arguments: tuple[str, ...], code: int) -> None:
    before = dict(stage.tables.accounts)

    ran = run("accounts", "update", "one", *arguments)

    assert ran.code == code
    assert stage.tables.accounts == before


@pytest.mark.usefixtures("one")
def test_address_and_session_token_of_another_account_are_refused(
    run: CommandLine, stage: Stage, tmp_path: Path
) -> None:
    (tmp_path / "second").write_text("eyJ" + "z" * 300)
    run(
        "accounts", "add", "--upstream", "fake", "--session-token-file", "second", "--name", "two", "--email", "two@b.cc"
    )  # fmt: skip

    assert "The account 2 has the address" in run("accounts", "update", "one", "--email", "TWO@b.cc").err
    refused = run("accounts", "update", "one", "--session-token-file", "second")
    assert "The account 2 has this session token already." in refused.err
    assert stage.tables.accounts[1].email is None


@pytest.mark.usefixtures("one")
def test_tags_come_and_go_on_many_accounts(run: CommandLine, stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "second").write_text("eyJ" + "z" * 300)
    run("accounts", "add", "--upstream", "fake", "--session-token-file", "second", "--name", "two")

    tagged = run("accounts", "tag", "lab", "one", "2", "two", "--json")

    assert [account["tags"] for account in tagged.json["accounts"]] == [["eu", "lab"], ["lab"]]
    assert run("accounts", "untag", "eu", "one").code == 0
    assert [account.tags for account in stage.tables.accounts.values()] == [{"lab"}, {"lab"}]
    assert "A tag has 1 to 64" in run("accounts", "tag", "no tag", "one").err


@pytest.mark.usefixtures("one")
def test_when_one_cannot_be_found_none_is_changed(run: CommandLine, stage: Stage) -> None:
    ran = run("accounts", "tag", "lab", "one", "nobody")

    assert ran.code == 1
    assert "There is no account 'nobody'" in ran.err
    assert stage.tables.accounts[1].tags == {"eu"}
