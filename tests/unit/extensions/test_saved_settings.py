"""Settings of plugins that were saved: which there can be, and how they join those that are given."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from flow2api.domain.errors import ConfigurationError
from flow2api.domain.secret import Secret
from flow2api.extensions import Extensions, check_saved_setting, load_extensions, savable_sections, with_saved
from flow2api.extensions.sections import read_setting, secrets_of
from flow2api.hookspecs import SettingsSection, hookimpl

FILE = """
from typing import Annotated

import msgspec

from flow2api.domain.secret import Secret
from flow2api.hookspecs import SettingsSection, hookimpl


class Hued(msgspec.Struct):
    depth: Annotated[int, msgspec.Meta(ge=1)] = 3
    hosts: tuple[str, ...] = ()
    token: Secret = Secret("")

    def __post_init__(self):
        if self.depth == 13:
            raise ValueError("no luck")


@hookimpl
def register_settings():
    return [SettingsSection("hued", Hued)]
"""


class Door(msgspec.Struct):
    """A table with a secret."""

    key: Secret
    inner: "Door | None" = None


class Held(msgspec.Struct):
    """A section with secrets in it."""

    plain: str = ""
    size: Annotated[int, msgspec.Meta(le=9)] = 1
    key: Secret | None = None
    doors: tuple[Door, ...] = ()


HELD = SettingsSection("held", Held)


class Embedded:
    """A plugin of the program that embeds this one."""

    @hookimpl
    def register_settings(self) -> Iterable[SettingsSection]:
        return [HELD]


@pytest.fixture(scope="module")
def extensions(tmp_path_factory: pytest.TempPathFactory) -> Extensions:
    folder: Path = tmp_path_factory.mktemp("plugins")
    folder.chmod(0o700)
    (folder / "hued.py").write_text(FILE)
    (folder / "hued.py").chmod(0o600)
    return load_extensions(["hued"], {"embedded": Embedded()}, folder=folder)


def test_only_sections_of_others_plugins_are_savable(extensions: Extensions) -> None:
    assert list(savable_sections(extensions)) == ["hued"]


def test_what_is_saved_stands_under_what_is_given(extensions: Extensions) -> None:
    saved = {"hued.depth": "7", "hued.hosts": "a, b", "flow.era": "seed"}

    sections, taken = with_saved(extensions, {"hued": {"depth": 5}, "flow": {}}, saved)

    assert sections == {"hued": {"depth": 5, "hosts": "a, b"}, "flow": {}}
    assert taken == {"hued.hosts"}


@pytest.mark.parametrize("saved", [{"hued.depth": "0"}, {"hued.depth": "13"}, {"hued.gone": "1", "hued.depth": "4"}])
def test_what_does_not_fit_is_passed_over_with_its_section(extensions: Extensions, saved: dict[str, str]) -> None:
    assert with_saved(extensions, {"hued": {"hosts": "a"}}, saved) == ({"hued": {"hosts": "a"}}, frozenset())


def test_secret_is_neither_saved_nor_taken(extensions: Extensions) -> None:
    assert with_saved(extensions, {}, {"hued.token": "t0p"})[1] == frozenset()
    with pytest.raises(ConfigurationError, match="is a secret and is not saved"):
        check_saved_setting(extensions, "hued.token", "t0p")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("hued.depth", "0", "Expected `int` >= 1"),
        ("hued.gone", "1", "There is no setting 'gone'"),
        ("hued", "1", "There is no setting ''"),
        ("flow.era", "seed", "No settings can be saved for the section 'flow'"),
        ("held.plain", "x", "No settings can be saved for the section 'held'"),
    ],
)
def test_what_cannot_be_saved_is_told(extensions: Extensions, name: str, text: str, told: str) -> None:
    check_saved_setting(extensions, "hued.depth", "4")
    with pytest.raises(ConfigurationError, match=told):
        check_saved_setting(extensions, name, text)


def test_secrets_are_found_wherever_they_are_held() -> None:
    assert secrets_of(HELD) == {"key", "doors"}


def test_one_setting_is_read_alone_and_its_value_is_not_told() -> None:
    assert read_setting(HELD, "size", "7") == 7
    with pytest.raises(ConfigurationError, match=r"The setting `held\.size` is wrong: Expected `int` <= 9"):
        read_setting(HELD, "size", "10")
    with pytest.raises(ConfigurationError) as caught:
        read_setting(HELD, "size", "t0p-secret")
    assert "t0p" not in caught.value.message
