from tests.command_line import CommandLine


def test_policies_tell_which_one_is_the_default(run: CommandLine) -> None:
    policies = run("policies", "list", "--json").json["policies"]

    assert [policy["name"] for policy in policies if policy["default"]] == ["least_busy"]
    assert all(policy["summary"] for policy in policies)


def test_policy_that_the_settings_fix_is_the_default(run: CommandLine) -> None:
    lines = run("policies", "list", FLOW2API_OPTIONS__POLICY="random").out.splitlines()

    assert [line.split()[0] for line in lines if line.split()[1] == "yes"] == ["random"]
