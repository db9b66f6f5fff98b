"""``flow2api plugins``: what is loaded, what is not and why, and commands and checks that plugins bring."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import pytest

from flow2api import __version__
from flow2api.cli import context
from flow2api.cli.main import cli
from flow2api.extensions import PROGRAM_COMMANDS, Extensions
from flow2api.hookspecs import DoctorCheck, Examined, hookimpl
from tests.command_line import CommandLine
from tests.unit.cli.conftest import Stage

PLUGIN = '''
from collections.abc import Iterable

import click
import msgspec

from flow2api.domain.secret import Secret
from flow2api.domain.usecases.diagnose import CheckState, Finding
from flow2api.hookspecs import DoctorCheck, Examined, NamedPolicy, SettingsSection, hookimpl
from flow2api.plugins.policies import FillFirst

__version__ = "1.2"


class Settings(msgspec.Struct):
    token: Secret = Secret("")
    greeting: str = "hello"


class Changing(click.Group):
    """Does not know what is in it."""

    def list_commands(self, ctx):
        raise LookupError("Bearer f2a_0123456789abcdef0123456789abcdef is gone")


@click.group(cls=Changing)
def changing():
    """Change."""


@click.command()
@click.option("--politely", is_flag=True)
def refuse(politely):
    """Do nothing."""
    if politely:
        raise click.ClickException("I would rather not.")
    raise ZeroDivisionError("not\\nnow")


@click.command()
@click.argument("whom")
@click.pass_obj
def greet(section, whom):
    """Say something kind."""
    click.echo(f"{section['greeting']} {whom}")


async def look(examined):
    return Finding(CheckState.OK, f"It says {examined.section['greeting']}.")


@hookimpl
def register_settings():
    return [SettingsSection("kind", Settings)]


@hookimpl
def register_selection_policies():
    return [NamedPolicy("kind", FillFirst, "Kind to all.")]


@hookimpl
def register_cli_commands():
    return [greet, refuse, changing]


@hookimpl
def register_doctor_checks():
    return [DoctorCheck(name="kindness", look=look, section="kind")]
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o700)
    (folder / "kind.py").write_text(PLUGIN)
    (folder / "broken.py").write_text("1 / 0\n")
    for path in folder.iterdir():
        path.chmod(0o600)
    return folder


@pytest.fixture
def run_with(run: CommandLine, folder: Path) -> CommandLine:
    return CommandLine({**run.environment, "FLOW2API_PLUGINS_DIR": str(folder), "FLOW2API_PLUGINS": "kind"})


def listed(run: CommandLine, **settings: str) -> dict[str, Any]:
    return {plugin["name"]: plugin for plugin in run("plugins", "--json", **settings).json["plugins"]}


def test_plugins_are_told_with_their_hooks(run: CommandLine) -> None:
    loaded = listed(run)

    assert loaded["policies"] == {
        "name": "policies",
        "version": __version__,
        "source": "built-in",
        "sha256": None,
        "hooks": ["register_selection_policies"],
        "state": "loaded",
        "error": None,
        "settings": {},
        "schemas": {},
    }
    assert loaded["stage"]["hooks"] == ["register_storages", "register_upstreams"]
    assert loaded["stage"]["source"] == "embedding program"


def test_plugins_as_a_table(run: CommandLine) -> None:
    lines = run("plugins").out.splitlines()

    assert lines[-1].split() == ["stage", "-", "loaded", "storages,", "upstreams", "embedding", "program"]


def test_plugin_of_the_folder_is_loaded_by_its_name(run_with: CommandLine, folder: Path) -> None:
    found = listed(run_with, FLOW2API_KIND__TOKEN="t0psecret")

    assert found["kind"]["state"] == "loaded"
    assert (found["kind"]["version"], found["kind"]["source"]) == ("1.2", f"file {folder / 'kind.py'}")
    assert len(found["kind"]["sha256"]) == 64
    assert found["kind"]["settings"] == {"kind": {"token": "***", "greeting": "hello"}}
    assert found["kind"]["schemas"]["kind"]["properties"] == {
        "token": {"type": "string", "format": "password", "writeOnly": True},
        "greeting": {"type": "string", "default": "hello"},
    }
    assert (found["broken"]["state"], found["broken"]["hooks"]) == ("not enabled", [])


def test_plugin_that_fails_is_told_everywhere_and_ends_nothing(run_with: CommandLine) -> None:
    enabled = {"FLOW2API_PLUGINS": "kind,broken"}

    found = listed(run_with, **enabled)
    table = run_with("plugins", **enabled)
    doctor = run_with("doctor", "--json", **enabled)
    policies = run_with("policies", "list", **enabled)

    assert found["broken"]["state"] == "failed"
    assert "ZeroDivisionError" in found["broken"]["error"]
    assert "broken was left out: It failed while it was loaded: ZeroDivisionError" in table.err
    (check,) = (check for check in doctor.json["checks"] if check["name"] == "plugin broken")
    assert (check["state"], "ZeroDivisionError" in check["sentence"], doctor.code) == ("warn", True, 0)
    assert (policies.code, "kind" in policies.out) == (0, True)
    assert "plugin left out" in policies.err


def test_plugin_that_the_option_names_is_loaded(run: CommandLine, folder: Path, stage: Stage) -> None:
    there = {"FLOW2API_PLUGINS_DIR": str(folder)}
    run("options", "set", "plugins=kind", **there)

    assert stage.tables.options["plugins"] == ("kind",)
    assert listed(run, **there)["kind"]["state"] == "loaded"
    assert "kind" in run("policies", "list", **there).out
    assert listed(run, FLOW2API_OPTIONS__PLUGINS="", **there)["kind"]["state"] == "not enabled"


def test_saved_setting_comes_at_the_next_start_under_what_is_given(run_with: CommandLine, stage: Stage) -> None:
    run_with("options", "set", 'plugin_settings={"kind.greeting": "good evening"}')

    assert stage.tables.options["plugin_settings"] == {"kind.greeting": "good evening"}
    assert run_with("greet", "Ada").out == "good evening Ada\n"
    assert run_with("greet", "Ada", FLOW2API_KIND__GREETING="hi").out == "hi Ada\n"
    assert run_with("greet", "Ada", FLOW2API_OPTIONS__PLUGIN_SETTINGS="{}").out == "hello Ada\n"


def test_saved_setting_that_does_not_fit_any_more_keeps_no_plugin_out(run_with: CommandLine, stage: Stage) -> None:
    stage.tables.options["plugin_settings"] = {"kind.gone": "1", "kind.token": "t0p", "nobody.has": "this"}

    assert run_with("greet", "Ada").out == "hello Ada\n"
    assert listed(run_with)["kind"]["settings"]["kind"]["token"] == ""


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("kind.token", "is a secret and is not saved"),
        ("kind.gone", "There is no setting 'gone' in the section `kind`"),
        ("flow.era", "No settings can be saved for the section 'flow'"),
        ("nobody.has", "No settings can be saved for the section 'nobody'"),
    ],
)
def test_setting_that_cannot_be_saved_is_refused(run_with: CommandLine, name: str, told: str) -> None:
    ran = run_with("options", "set", f'plugin_settings={{"{name}": "1"}}')

    assert ran.code != 0
    assert told in ran.err


def test_section_that_does_not_fit_leaves_the_plugin_out(run_with: CommandLine) -> None:
    found = listed(run_with, FLOW2API_KIND__GREETNG="hi")

    assert found["kind"]["state"] == "failed"
    assert "no setting 'greetng' in the section `kind`" in found["kind"]["error"]


def test_section_of_a_plugin_that_is_not_loaded_is_no_fault(run_with: CommandLine) -> None:
    assert run_with("plugins", FLOW2API_PLUGINS="", FLOW2API_KIND__GREETING="hi").code == 0
    assert run_with("plugins", FLOW2API_PLUGINS="broken", FLOW2API_OTHER__GREETING="hi").code == 0
    assert run_with("plugins", FLOW2API_OTHER__GREETING="hi").code == 78


def test_command_of_a_plugin_runs_with_its_section(run_with: CommandLine) -> None:
    ran = run_with("greet", "Ada", FLOW2API_KIND__GREETING="good morning")

    assert (ran.code, ran.out) == (0, "good morning Ada\n")
    assert "Say something kind." in run_with("--help").out


def test_plugins_are_loaded_once_for_the_help(run_with: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = vars(context)["load_extensions"]
    loaded: list[Extensions] = []

    def counted(*args: Any, **more: Any) -> Extensions:
        loaded.append(usual(*args, **more))
        return loaded[-1]

    monkeypatch.setattr(context, "load_extensions", counted)

    ran = run_with("--help", FLOW2API_PLUGINS="kind,broken")

    assert (ran.code, len(loaded), ran.err.count("plugin left out")) == (0, 1, 1)


def test_command_of_nobody_is_wrong_usage(run_with: CommandLine) -> None:
    assert run_with("great").code == 2


def test_command_that_a_plugin_would_have_brought_is_missed_with_the_reason(run_with: CommandLine) -> None:
    ran = run_with("greet", "Ada", FLOW2API_KIND__GREETNG="hi")

    assert ran.code == 2
    assert "no setting 'greetng' in the section `kind`" in ran.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["refuse"], "The command 'refuse' of the plugin 'kind' failed: ZeroDivisionError: not now ("),
        (["changing"], "The command 'changing' of the plugin 'kind' failed: LookupError: Bearer *** is gone ("),
    ],
)
def test_command_of_a_plugin_that_raises_fails_in_one_line(
    run_with: CommandLine, arguments: list[str], told: str
) -> None:
    ran = run_with(*arguments)

    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert told in ran.err
    assert "kind.py, line" in ran.err


def test_plugins_own_word_for_the_failure_of_its_command_is_kept(run_with: CommandLine) -> None:
    ran = run_with("refuse", "--politely")

    assert (ran.code, "I would rather not." in ran.err, "plugin" in ran.err) == (1, True, False)


def test_fault_of_a_plugins_command_is_logged_whole_for_its_author(run_with: CommandLine) -> None:
    ran = run_with("refuse", FLOW2API_LOG_LEVEL="debug")

    assert "Traceback" in ran.err


def test_help_is_given_though_the_settings_cannot_be_used(run: CommandLine) -> None:
    ran = run("--help", FLOW2API_PROT="1")

    assert (ran.code, "doctor" in ran.out) == (0, True)
    assert "the commands of plugins are missing here" in ran.err


def test_check_of_a_plugin_is_run_with_its_section(run_with: CommandLine) -> None:
    checks = {one["name"]: one for one in run_with("doctor", "--json").json["checks"]}

    assert checks["kindness"]["sentence"] == "It says hello."


def test_check_that_returns_garbage_fails_alone(
    run: CommandLine, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(examined: Examined) -> Any:
        return "fine"

    @hookimpl
    def register_doctor_checks() -> Iterable[DoctorCheck]:
        return [DoctorCheck(name="garbage", look=look)]

    monkeypatch.setattr(stage, "register_doctor_checks", register_doctor_checks, raising=False)

    checks = {one["name"]: one for one in run("doctor", "--json").json["checks"]}

    assert (checks["garbage"]["state"], "TypeError" in checks["garbage"]["sentence"]) == ("fail", True)
    assert checks["models"]["state"] == "ok"


def test_commands_that_always_stand_are_those_of_the_program() -> None:
    assert set(cli.commands) == PROGRAM_COMMANDS
    assert all(isinstance(one, click.Command) for one in cli.commands.values())


def test_selected_policy_of_a_plugin_that_fails_stops_what_needs_it(run_with: CommandLine) -> None:
    ran = run_with("policies", "simulate", FLOW2API_PLUGINS="broken", FLOW2API_OPTIONS__POLICY="broken")

    assert ran.code == 78
    assert "There is no selection policy 'broken', which the option policy asks for" in ran.err
    assert "'broken' (It failed while it was loaded: ZeroDivisionError" in ran.err


def test_selected_coordination_that_nobody_serves_names_the_setting_and_who_was_left_out(run_with: CommandLine) -> None:
    ran = run_with("options", "list", FLOW2API_PLUGINS="broken", FLOW2API_COORDINATION_URL="broken:")

    assert ran.code == 78
    assert "of the setting coordination_url" in ran.err
    assert "ZeroDivisionError" in ran.err


MOODY = """
import msgspec

from flow2api.hookspecs import CoordinationFactory, SettingsSection, hookimpl
from flow2api.plugins.coordination_memory import MemoryCoordination


class Moody(msgspec.Struct):
    place: str = "roof"


def build(url, section):
    if section.get("place") == "cellar":
        raise RuntimeError("it is too dark there")
    return MemoryCoordination()


@hookimpl
def register_settings():
    return [SettingsSection("moody", Moody)]


@hookimpl
def register_coordinations():
    return [CoordinationFactory("moody", ("moody",), build)]
"""


@pytest.fixture
def run_moody(run: CommandLine, folder: Path) -> CommandLine:
    (folder / "moody.py").write_text(MOODY)
    (folder / "moody.py").chmod(0o600)
    return CommandLine(
        {
            **run.environment,
            "FLOW2API_PLUGINS_DIR": str(folder),
            "FLOW2API_PLUGINS": "moody",
            "FLOW2API_COORDINATION_URL": "moody:",
        }
    )


def test_saved_setting_with_which_nothing_can_start_is_passed_over_and_can_be_taken_back(
    run_moody: CommandLine, stage: Stage
) -> None:
    stage.tables.options["plugin_settings"] = {"moody.place": "cellar"}

    ran = run_moody("options", "reset", "plugin_settings")

    assert ran.code == 0, ran.err
    assert "settings saved for plugins are passed over" in ran.err
    assert "it is too dark there" in ran.err
    assert "moody.place" in ran.err
    assert "plugin_settings" not in stage.tables.options
    assert "passed over" not in run_moody("options", "list").err


def test_given_setting_with_which_nothing_can_start_ends_the_command(run_moody: CommandLine) -> None:
    ran = run_moody("options", "list", FLOW2API_MOODY__PLACE="cellar")

    assert ran.code == 78
    assert "it is too dark there" in ran.err
    assert "passed over" not in ran.err
