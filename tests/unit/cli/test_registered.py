from tests.command_line import CommandLine


def test_plugins_are_told_with_their_hooks(run: CommandLine) -> None:
    loaded = {plugin["name"]: plugin for plugin in run("plugins", "--json").json["plugins"]}

    assert loaded["policies"] == {"name": "policies", "built_in": True, "hooks": ["register_selection_policies"]}
    assert loaded["stage"] == {"name": "stage", "built_in": False, "hooks": ["register_storages", "register_upstreams"]}


def test_plugins_as_a_table(run: CommandLine) -> None:
    lines = run("plugins").out.splitlines()

    assert lines[-1].split(maxsplit=2) == ["stage", "no", "storages, upstreams"]


def test_policies_tell_which_one_is_the_default(run: CommandLine) -> None:
    policies = run("policies", "list", "--json").json["policies"]

    assert [policy["name"] for policy in policies if policy["default"]] == ["least_busy"]
    assert all(policy["summary"] for policy in policies)


def test_policy_that_the_settings_fix_is_the_default(run: CommandLine) -> None:
    lines = run("policies", "list", FLOW2API_OPTIONS__POLICY="random").out.splitlines()

    assert [line.split()[0] for line in lines if line.split()[1] == "yes"] == ["random"]
