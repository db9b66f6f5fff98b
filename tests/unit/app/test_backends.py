"""Backends: chosen by the scheme of a URL, and models only once and only where somebody makes them."""

from dataclasses import replace
from pathlib import Path

import pytest

from flow2api.app.backends import build_backends, build_catalog, build_vault
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import ConfigurationError, PluginError
from flow2api.extensions import Extensions, load_extensions
from flow2api.settings import Settings
from flow2api.testing.factories import picture_spec
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.upstream import FakeUpstream


@pytest.fixture
def extensions() -> Extensions:
    return load_extensions()


async def test_everything_is_chosen_by_its_url_and_nothing_is_touched(extensions: Extensions, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    backends = build_backends(settings, extensions, build_vault(settings), FakeClock())
    assert set(backends.upstreams) == {"flow", "gemini", "openai"}
    assert len(backends.catalog.listed()) > 10
    assert list(tmp_path.iterdir()) == []
    for upstream in backends.upstreams.values():
        await upstream.aclose()


@pytest.mark.parametrize(
    ("setting", "url", "told"),
    [
        ("database_url", "sqlit:///x.db", "Did you mean sqlite:?"),
        ("media_url", "ftp://host", "Known are file:"),
        ("coordination_url", "redis://host", "Known are memory:"),
    ],
)
def test_scheme_that_nobody_serves_is_told_with_the_setting(
    extensions: Extensions, setting: str, url: str, told: str
) -> None:
    settings = replace(Settings(), **{setting: url})  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=f"of the setting {setting}") as caught:
        build_backends(settings, extensions, build_vault(settings), FakeClock())
    assert told in caught.value.message


def test_catalog_holds_what_an_upstream_serves(extensions: Extensions) -> None:
    paint, other, foreign = picture_spec("paint"), picture_spec("other"), picture_spec("foreign", upstream="elsewhere")
    upstream = FakeUpstream(FakeClock(), unserved={"other"})
    catalog = build_catalog(
        replace(extensions, models=tuple(("mine", spec) for spec in (paint, other, foreign))), {"flow": upstream}
    )
    assert [entry.id for entry in catalog.listed()] == ["paint"]


class Offering(FakeUpstream):
    """An upstream whose settings name a model."""

    def models(self) -> list[ModelSpec]:
        return [picture_spec("own")]


def test_models_of_an_upstreams_settings_join_those_of_plugins(extensions: Extensions) -> None:
    catalog = build_catalog(replace(extensions, models=(("mine", picture_spec()),)), {"flow": Offering(FakeClock())})
    assert [entry.id for entry in catalog.listed()] == ["paint", "own"]


def test_model_that_a_plugin_and_a_setting_name_is_told_with_both(extensions: Extensions) -> None:
    models = (("mine", picture_spec("own")),)
    with pytest.raises(PluginError, match=r"'mine' and the setting `flow\.models` both register the model 'own'"):
        build_catalog(replace(extensions, models=models), {"flow": Offering(FakeClock())})


def test_model_that_two_plugins_register_is_told_with_both(extensions: Extensions) -> None:
    models = (("mine", picture_spec()), ("yours", picture_spec()))
    with pytest.raises(PluginError, match="'mine' and 'yours' both register the model 'paint'"):
        build_catalog(replace(extensions, models=models), {})
