from tests.command_line import CommandLine


def test_what_was_done_is_shown_newest_first(run: CommandLine) -> None:
    run("keys", "create", "--name", "laptop")
    run("options", "set", "policy=random")
    run("keys", "revoke", "laptop")

    entries = run("audit", "--json").json["entries"]
    table = run("audit").out.splitlines()

    assert [one["action"] for one in entries] == ["key.revoked", "options.changed", "key.created"]
    assert {one["door"] for one in entries} == {"command_line"}
    assert entries[1]["details"] == {"before": {"policy": "least_busy"}, "after": {"policy": "random"}}
    assert [line.split()[0] for line in table[1:]] == [str(one["number"]) for one in entries]


def test_is_narrowed_by_action_actor_and_number(run: CommandLine) -> None:
    for name in ("one", "two"):
        run("keys", "create", "--name", name)
    run("options", "set", "policy=random")

    assert len(run("audit", "--action", "key", "--json").json["entries"]) == 2
    assert len(run("audit", "--limit", "1", "--json").json["entries"]) == 1
    assert run("audit", "--actor", "nobody", "--json").json == {"entries": []}
    assert "no such entry" in run("audit", "--actor", "nobody").err
