from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flow2api.domain.key_rules import NO_RULES, KeyRules, KeyScope
from flow2api.domain.secret import Secret
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage


def test_created_key_stands_alone_on_standard_output(run: CommandLine, stage: Stage) -> None:
    ran = run("keys", "create", "--name", "laptop")

    key = ran.out.strip()
    assert key.startswith("f2a_")
    assert len(key) == 47
    assert key not in ran.err
    digest = stage.storage.cipher.digest(Secret(key), purpose="api-key")
    assert [(kept.name, kept.digest) for kept in stage.tables.api_keys.values()] == [("laptop", digest)]


def test_json_of_a_created_key(run: CommandLine) -> None:
    made = run("keys", "create", "--json").json

    assert made == {
        "key": made["key"],
        "id": 1,
        "name": "key 1",
        "tag": None,
        "profile": None,
        "scopes": ["images", "models", "videos"],
        "models": [],
        "expires_at": None,
        "requests_per_min": None,
        "max_concurrent": 0,
        "max_per_day": 0,
        "first_id": None,
    }
    assert made["key"].startswith("f2a_")


def test_list_shows_keys_but_not_what_they_are(run: CommandLine) -> None:
    key = run("keys", "create", "--name", "one").out.strip()
    run("keys", "create", "--name", "two")
    run("keys", "revoke", "two")

    listed = run("keys", "list")
    as_json = run("keys", "list", "--json")

    assert [line.split()[:4] for line in listed.out.splitlines()[1:]] == [
        ["1", "one", key[:10], "active"],
        ["2", "two", as_json.json["keys"][1]["prefix"], "revoked"],
    ]
    assert key not in listed.out + as_json.out
    assert set(as_json.json["keys"][0]) == {
        "id",
        "name",
        "prefix",
        "created_at",
        "last_used_at",
        "revoked_at",
        "tag",
        "profile",
        "scopes",
        "models",
        "expires_at",
        "requests_per_min",
        "max_concurrent",
        "max_per_day",
        "first_id",
    }


def test_key_has_the_profile_of_its_client(run: CommandLine) -> None:
    run("keys", "create", "--name", "bot", "--profile", "links")
    assert run("keys", "list", "--json").json["keys"][0]["profile"] == "links"

    assert run("keys", "update", "bot", "--profile", "", "--json").json["profile"] is None

    refused = run("keys", "create", "--profile", "link")
    assert (refused.code, "There is no response profile 'link'" in refused.err) == (1, True)


def test_list_of_nothing_says_what_to_do(run: CommandLine) -> None:
    ran = run("keys", "list")

    assert (ran.code, ran.out) == (0, "")
    assert "flow2api keys create" in ran.err


def test_name_of_an_active_key_is_refused(run: CommandLine) -> None:
    run("keys", "create", "--name", "one")

    ran = run("keys", "create", "--name", "one")

    assert ran.code == 1
    assert "already" in ran.err


def test_revoked_key_is_told_as_json(run: CommandLine, stage: Stage) -> None:
    run("keys", "create", "--name", "one")

    revoked = run("keys", "revoke", "1", "--json").json

    assert revoked["revoked_at"] is not None
    assert not stage.tables.api_keys[1].is_active


def test_key_is_bound_to_a_tag_and_freed_again(run: CommandLine, stage: Stage) -> None:
    assert run("keys", "create", "--name", "lab", "--tag", "eu", "--json").json["tag"] == "eu"
    assert run("keys", "list").out.splitlines()[1].split()[4] == "eu"

    changed = run("keys", "update", "lab", "--tag", "us", "--name", "lab 2", "--json")

    assert (changed.json["name"], changed.json["tag"]) == ("lab 2", "us")
    freed = run("keys", "update", "1", "--tag", "")
    assert freed.out == "Changed 'lab 2' (id 1): it may use all accounts.\n"
    assert stage.tables.api_keys[1].tag is None
    assert [(entry.action, entry.subject, entry.actor.door) for entry in stage.tables.audit] == [
        ("key.created", "1", "command_line"),
        ("key.changed", "1", "command_line"),
        ("key.changed", "1", "command_line"),
    ]


def test_bad_change_of_a_key_changes_nothing(run: CommandLine, stage: Stage) -> None:
    run("keys", "create", "--name", "one")
    run("keys", "create", "--name", "two")

    assert "exists already" in run("keys", "update", "two", "--name", "one").err
    assert "A tag has 1 to 64" in run("keys", "update", "two", "--tag", "no tag!").err
    assert "no active key 'three'" in run("keys", "update", "three", "--tag", "eu").err
    assert run("keys", "update", "two").code == 2
    assert [(key.name, key.tag) for key in stage.tables.api_keys.values()] == [("one", None), ("two", None)]


def test_key_is_told_what_it_may_do_and_how_much(run: CommandLine, stage: Stage) -> None:
    made = run(
        "keys", "create", "--name", "shop", "--scope", "images", "--scope", "models", "--model", "veo-*", "--model", "paint",
        "--expires", "2031-01-31T18:00", "--requests-per-min", "0", "--max-concurrent", "2", "--max-per-day", "100", "--json",
    ).json  # fmt: skip

    rules = KeyRules(
        scopes=frozenset({KeyScope.IMAGES, KeyScope.MODELS}),
        models=("veo-*", "paint"),
        expires_at=datetime(2031, 1, 31, 18, tzinfo=UTC),
        requests_per_min=0,
        max_concurrent=2,
        max_per_day=100,
    )
    assert stage.tables.api_keys[1].rules == rules
    assert (made["scopes"], made["expires_at"], made["max_per_day"]) == (
        ["images", "models"],
        "2031-01-31T18:00:00Z",
        100,
    )

    run("keys", "update", "shop", "--max-per-day", "0", "--expires", "2031-01-31T18:00+02:00")
    assert stage.tables.api_keys[1].rules == replace(
        rules, max_per_day=0, expires_at=datetime(2031, 1, 31, 16, tzinfo=UTC)
    )
    run(
        "keys", "update", "shop", "--scope", "all", "--model", "", "--expires", "never",
        "--requests-per-min", "option", "--max-concurrent", "0",
    )  # fmt: skip
    assert stage.tables.api_keys[1].rules == NO_RULES


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--scope", "admin", "'admin' is not one of"),
        ("--expires", "tomorrow", "'tomorrow' is no time"),
        ("--expires", "2001-01-01", "expires at a time to come"),
        ("--requests-per-min", "many", "takes a number or `option`"),
        ("--max-per-day", "-1", "`max_per_day` is a number from 0"),
    ],
)
def test_rules_that_cannot_be_are_refused(
    run: CommandLine, stage: Stage, option: str, value: str, sentence: str
) -> None:
    refused = run("keys", "create", option, value)

    assert refused.code != 0
    assert sentence in refused.err
    assert stage.tables.api_keys == {}


def test_rotated_key_is_shown_once_and_the_former_one_ends_by_itself(run: CommandLine, stage: Stage) -> None:
    former = run("keys", "create", "--name", "shop", "--max-per-day", "5").out.strip()

    rotated = run("keys", "rotate", "shop", "--overlap-hours", "2")

    assert rotated.out.strip().startswith("f2a_")
    assert rotated.out.strip() != former
    old, new = stage.tables.api_keys.values()
    assert (old.name, new.name, new.rules.max_per_day) == ("shop (old)", "shop", 5)
    assert old.rules.expires_at is not None
    assert run("keys", "rotate", "shop", "--json").json["name"] == "shop"
    for hours in ("0", "nan", "1e300"):
        assert run("keys", "rotate", "shop", "--overlap-hours", hours).code != 0


def test_list_says_which_keys_have_expired(run: CommandLine, stage: Stage) -> None:
    run("keys", "create", "--name", "one")
    key = stage.tables.api_keys[1]
    stage.tables.api_keys[1] = replace(key, rules=KeyRules(expires_at=datetime(2020, 1, 1, tzinfo=UTC)))

    assert run("keys", "list").out.splitlines()[1].split()[3] == "expired"
