"""Settings: every source in its turn, each value in its type, and every fault named at once."""

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from flow2api.domain.errors import ConfigurationError
from flow2api.domain.options import Options
from flow2api.extensions import PROGRAM_SETTINGS
from flow2api.settings import COMMAND_LINE, FILE, Settings, load_settings, parse_options, read_plugin_choice


def refusal(environment: dict[str, str] | None = None, toml_text: str = "", **more: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment or {}, toml_text, **more)
    return caught.value.message


def test_defaults_need_no_source() -> None:
    assert load_settings({}) == Settings()
    assert Settings().storage_url == "sqlite:///data/flow2api.db"
    assert Settings().store_url == "file:data/media"


def test_later_source_wins() -> None:
    toml = 'port = 1\nhost = "::1"\ndrain_s = 1.5\n'
    environment = {"FLOW2API_PORT": "2", "FLOW2API_HOST": "0.0.0.0"}
    found = load_settings(environment, toml, {"port": 3, "host": None})
    assert (found.port, found.host, found.drain_s) == (3, "0.0.0.0", 1.5)


def test_text_of_the_environment_becomes_the_type_of_the_setting() -> None:
    found = load_settings(
        {
            "FLOW2API_DATA_DIR": "/srv/media",
            "FLOW2API_PORT": "80",
            "FLOW2API_LEASE_S": "1",
            "FLOW2API_PLUGINS": "one, two,,",
            "FLOW2API_SECRET_KEY": "do not show",
            "PATH": "/bin",
        }
    )
    assert (found.data_dir, found.port, found.lease_s) == (Path("/srv/media"), 80, 1.0)
    assert found.plugins == ("one", "two")
    assert found.secret_key.reveal() == "do not show"
    assert "do not show" not in repr(found)
    assert found.storage_url == "sqlite:////srv/media/flow2api.db"


def test_section_of_a_plugin_is_merged_over_all_sources() -> None:
    found = load_settings(
        {"FLOW2API_FLOW__ERA": "seed"}, '[flow]\nera = "2026-06"\nlocale = "en"\n', sections=["flow", "media_disk"]
    )
    assert found.sections == {"flow": {"era": "seed", "locale": "en"}, "media_disk": {}}


def test_section_of_nobody_is_refused() -> None:
    assert "There is no setting 'flwo'. Did you mean 'flow'?" in refusal({}, "[flwo]\nx = 1\n", sections=["flow"])


def test_every_fault_is_named_with_what_may_have_been_meant() -> None:
    told = refusal({"FLOW2API_PROT": "1", "FLOW2API_DRAIN_S": "long", "FLOW2API_OPTIONS__POLICI": "random"})
    assert "There is no setting 'prot'. Did you mean 'port'?" in told
    assert "The setting drain_s cannot be used" in told
    assert "There is no option 'polici'. Did you mean 'policy'?" in told


@pytest.mark.parametrize("toml", ["port = = 1", "options = 3", "[port]\nx = 1\n"])
def test_file_that_makes_no_sense_is_refused(toml: str) -> None:
    assert refusal({}, toml)


@pytest.mark.parametrize("name", ["sections", "config"])
def test_what_looks_like_a_field_but_is_no_setting_changes_nothing(name: str) -> None:
    assert load_settings({f"FLOW2API_{name.upper()}": "x"}) == Settings()


def test_options_are_checked_and_kept_as_they_were_given() -> None:
    found = load_settings({"FLOW2API_OPTIONS__MAX_ATTEMPTS": "3"})
    assert found.options == {"max_attempts": "3"}
    assert parse_options(found.options) == Options(max_attempts=3)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("max_attempts", "many", "cannot be 'many'"),
        ("image_wait_s", -1, "a number from 0 to 3153600000"),
        ("image_wait_s", "nan", "a number from"),
        ("image_retention_h", "1e30", "a number from 0 to 876000"),
        ("max_attempts", 0, "a number from 1"),
        ("error_threshold", 10**30, "a number from 1 to 1000000000000"),
        ("renewals_at_once", 0, "a number from 1"),
        ("picture_urls", "perhaps", "cannot be 'perhaps'"),
        ("policyy", "random", "Did you mean 'policy'?"),
    ],
)
def test_option_that_cannot_be_used_is_refused(name: str, value: object, why: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as caught:
        parse_options({name: value})
    assert why in caught.value.message


@pytest.mark.parametrize("option", fields(Options), ids=lambda option: str(option.name))
def test_default_of_every_option_can_be_given_as_text(option: Any) -> None:
    default = option.default if option.default is not MISSING else option.default_factory()
    text = ",".join(default) if isinstance(default, tuple) else str(default)
    assert parse_options({option.name: text}) == Options()


def test_table_of_lists_comes_as_json_from_the_environment() -> None:
    found = load_settings({"FLOW2API_OPTIONS__MODEL_ROUTES": '{"best": ["one", "two"]}'})
    assert parse_options(found.options).model_routes == {"best": ("one", "two")}
    for text in ("one, two", '["one"]', '{"best": 1}'):
        with pytest.raises(ConfigurationError, match="model_routes"):
            parse_options({"model_routes": text})


def test_choice_of_plugins_is_known_before_their_settings_are() -> None:
    text = 'plugins = ["one"]\n[thrifty]\nshare = 3\n[options]\nplugins = ["three"]\n'

    in_file = read_plugin_choice({}, text)
    over_it = read_plugin_choice(
        {"FLOW2API_PLUGINS": "one, two", "FLOW2API_PLUGINS_DIR": "there", "FLOW2API_OPTIONS__PLUGINS": ""}, text
    )

    assert (in_file.enabled, in_file.folder, in_file.by_option) == (("one",), None, ("three",))
    assert (over_it.enabled, over_it.folder, over_it.by_option) == (("one", "two"), Path("there"), ())
    assert read_plugin_choice({}).by_option is None


@pytest.mark.parametrize("text", ["plugins = 5\n", "plugins = = 5\n", "[options]\nplugins = 5\n"])
def test_choice_of_plugins_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ConfigurationError):
        read_plugin_choice({}, text)


def test_section_that_nobody_knows_is_a_fault_unless_somebody_could_not_be_asked() -> None:
    text = "[thrifty]\nshare = 3\n"

    with pytest.raises(ConfigurationError, match="no setting 'thrifty'"):
        load_settings({}, text)
    assert load_settings({}, text, more_sections=True) == Settings()
    with pytest.raises(ConfigurationError, match="no setting 'prot'"):
        load_settings({}, "prot = 1\n", more_sections=True)


def test_plugin_that_is_called_like_a_setting_does_not_hide_it() -> None:
    assert load_settings({"FLOW2API_PORT": "7"}, sections={"port"}).port == 7


def test_section_that_is_no_table_is_a_fault() -> None:
    with pytest.raises(ConfigurationError, match="The section flow is no table"):
        load_settings({"FLOW2API_FLOW": "fast"}, sections={"flow"})


def test_settings_of_the_program_are_no_names_for_sections_of_plugins() -> None:
    assert {field.name for field in fields(Settings)} | {"config"} == PROGRAM_SETTINGS


def test_hosts_of_operators_are_those_of_every_setting_that_names_one() -> None:
    given = {"FLOW2API_ALLOWED_HOSTS": "Gateway:8000, console.example", "FLOW2API_PUBLIC_URL": "https://Pool.example/x"}

    settings = load_settings({**given, "FLOW2API_HOST": "box.lan"})

    assert settings.known_hosts == {"gateway", "console.example", "pool.example", "box.lan"}


@pytest.mark.parametrize("name", ["https://console.example", "*.example.org", "a b", "a/b"])
def test_host_that_no_browser_shows_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="allowed_hosts"):
        load_settings({"FLOW2API_ALLOWED_HOSTS": name})


def test_settings_know_where_each_of_them_comes_from() -> None:
    toml = 'port = 1\nhost = "::1"\n[flow]\nlabs_base_url = "https://x.test"\n[options]\nmax_attempts = 3\n[options.model_routes]\na = ["b"]\n'
    environment = {"FLOW2API_PORT": "2", "FLOW2API_OPTIONS__POLICY": "random", "OTHER": "1"}

    found = load_settings(environment, toml, {"drain_s": 3, "host": None}, sections={"flow"})

    assert found.origins == {
        "port": "FLOW2API_PORT",
        "host": FILE,
        "flow.labs_base_url": FILE,
        "options.max_attempts": FILE,
        "options.model_routes": FILE,
        "options.policy": "FLOW2API_OPTIONS__POLICY",
        "drain_s": COMMAND_LINE,
    }
