import json
from typing import Any, cast

import pytest

from flow2api.adapters.openai_media.client import OpenAiMediaUpstream
from flow2api.domain.account import CredentialKind
from flow2api.domain.catalog import ModelCatalog, ModelSpec
from flow2api.domain.errors import ConfigurationError
from flow2api.extensions import load_extensions
from flow2api.plugins import models_flow, models_openai, upstream_openai
from flow2api.plugins.upstream_openai import read_settings
from flow2api.testing.fakes.clock import FakeClock

MODEL = {"name": "far-picture", "kind": "image", "sizes": ["1024x1024"], "price_usd": 0.02}


def build(**section: Any) -> OpenAiMediaUpstream:
    (factory,) = upstream_openai.register_upstreams()
    assert (factory.name, factory.credential) == ("openai", CredentialKind.API_KEY_AND_BASE_URL)
    upstream = factory.build(section, FakeClock())
    assert isinstance(upstream, OpenAiMediaUpstream)
    return upstream


def checked(**section: Any) -> dict[str, Any]:
    """The section as the program reads it at the start."""
    _, sections = load_extensions().checked({"openai": section})
    return dict(sections["openai"])


async def test_models_of_the_settings_are_offered_from_a_file_and_from_a_variable() -> None:
    for models in ([MODEL], json.dumps([MODEL])):
        upstream = build(**checked(models=models))

        assert [entry.name for entry in upstream.models()] == ["far-picture"]
        assert all(upstream.serves(entry) for entry in upstream.models() if isinstance(entry, ModelSpec))
        await upstream.aclose()


def test_texts_of_the_environment_are_taken_for_numbers_and_lists() -> None:
    settings = read_settings(checked(max_proxies="3", media_hosts="cdn.example.org, x.example", models=""))

    assert (settings.max_proxies, settings.media_hosts, settings.models) == (3, ("cdn.example.org", "x.example"), ())


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"modelz": []}, "modelz"),
        ({"models": "[{]"}, "openai"),
        ({"models": "gpt"}, "models"),
        ({"models": [{**MODEL, "kind": "song"}]}, "kind"),
        ({"models": [{**MODEL, "colour": "red"}]}, "colour"),
        ({"models": [{**MODEL, "name": "a b"}]}, "'a b'"),
        ({"media_hosts": ["https://cdn.example.org"]}, "bare name"),
        ({"held_pictures_mb": 0}, "held_pictures_mb"),
        ({"connect_timeout_s": -1}, "connect_timeout_s"),
    ],
)
def test_wrong_setting_is_named(section: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        build(**checked(**section))


def test_settings_are_shown_as_they_are_read() -> None:
    found, sections = load_extensions().checked({"openai": {"models": json.dumps([MODEL]), "media_hosts": "a.b,c.d"}})
    (plugin,) = (one for one in found.plugins if one.name == "upstream_openai")

    shown = found.shown_sections(plugin, sections)["openai"]

    (model,) = cast("list[dict[str, object]]", shown["models"])
    assert (model["name"], model["sizes"], model["price_usd"]) == ("far-picture", ["1024x1024"], 0.02)
    assert (shown["media_hosts"], shown["max_proxies"]) == (["a.b", "c.d"], 64)


def test_models_of_openai_live_beside_those_of_flow() -> None:
    catalog = ModelCatalog([*models_flow.register_models(), *models_openai.register_models()])

    described = catalog.describe("openai-gpt-image-1.5")
    assert described is not None
    assert (described.upstream, described.max_images) == ("openai", 16)
    assert all(not spec.is_free for spec in catalog.specs() if spec.upstream == "openai")
