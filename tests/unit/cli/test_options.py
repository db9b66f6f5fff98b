from dataclasses import fields

from flow2api.domain.audit import AuditAction
from flow2api.domain.options import Options
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage


def by_name(run: CommandLine, *arguments: str, **settings: str) -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in run("options", *arguments, "--json", **settings).json["options"]}


def test_every_option_is_listed_with_where_its_value_comes_from(run: CommandLine) -> None:
    run("options", "set", "policy=random")

    listed = by_name(run, "list", FLOW2API_OPTIONS__MAX_ATTEMPTS="3")

    assert list(listed) == [one.name for one in fields(Options)]
    assert listed["policy"] == {"name": "policy", "value": "random", "default": "least_busy", "source": "set"}
    assert (listed["max_attempts"]["value"], listed["max_attempts"]["source"]) == (3, "settings")
    assert (listed["image_wait_s"]["value"], listed["image_wait_s"]["source"]) == (60.0, "default")


def test_options_are_set_in_their_own_types_and_put_down(run: CommandLine, stage: Stage) -> None:
    ran = run("options", "set", "image_wait_s=30", "log_bodies=true")

    assert ran.code == 0
    assert [line.split() for line in ran.out.splitlines()[1:]] == [
        ["image_wait_s", "30", "60", "set"],
        ["log_bodies", "true", "false", "set"],
    ]
    assert stage.tables.options == {"image_wait_s": 30.0, "log_bodies": True}
    (entry,) = stage.tables.audit
    assert (entry.action, entry.actor.door) == (AuditAction.OPTIONS_CHANGED, "command_line")


def test_one_that_cannot_be_changes_none_and_tells_the_nearest(run: CommandLine, stage: Stage) -> None:
    for pair, hint in (
        ("policy=randomm", "'random'"),
        ("image_wait=3", "'image_wait_s'"),
        ("max_attempts=0", "from 1"),
    ):
        ran = run("options", "set", "log_bodies=true", pair)
        assert (ran.code, hint in ran.err) == (1, True), ran.err

    assert (run("options", "set", "log_bodies").code, stage.tables.options, stage.tables.audit) == (2, {}, [])


def test_what_the_settings_fix_is_not_set(run: CommandLine, stage: Stage) -> None:
    ran = run("options", "set", "policy=random", FLOW2API_OPTIONS__POLICY="weighted")

    assert ran.code == 1
    assert "settings file or the environment" in ran.err
    assert stage.tables.options == {}


def test_proxy_that_is_not_known_is_refused(run: CommandLine, stage: Stage) -> None:
    assert run("options", "set", "proxy=nowhere").code == 1
    assert stage.tables.options == {}


def test_reset_goes_back_to_the_default(run: CommandLine) -> None:
    run("options", "set", "policy=random")

    assert by_name(run, "reset", "policy")["policy"]["source"] == "default"
    assert by_name(run, "list")["policy"]["value"] == "least_busy"


def test_name_that_resembles_no_option_is_answered_with_where_they_stand(run: CommandLine) -> None:
    assert "There is no option 'zzz'. `flow2api options list` shows them." in run("options", "set", "zzz=1").err
