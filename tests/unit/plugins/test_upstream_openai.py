import json
from typing import Any

import pytest

from flow2api.adapters.openai_media.client import OpenAiMediaUpstream
from flow2api.domain.account import CredentialKind
from flow2api.domain.catalog import ModelCatalog, ModelSpec
from flow2api.domain.errors import ConfigurationError
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


async def test_models_of_the_settings_are_offered_from_a_file_and_from_a_variable() -> None:
    for models in ([MODEL], json.dumps([MODEL])):
        upstream = build(models=models)

        assert [entry.name for entry in upstream.models()] == ["far-picture"]
        assert all(upstream.serves(entry) for entry in upstream.models() if isinstance(entry, ModelSpec))
        await upstream.aclose()


def test_texts_of_the_environment_are_taken_for_numbers_and_lists() -> None:
    settings = read_settings({"max_proxies": "3", "media_hosts": "cdn.example.org, x.example", "models": ""})

    assert (settings.max_proxies, settings.media_hosts, settings.models) == (3, ("cdn.example.org", "x.example"), ())


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"modelz": []}, "modelz"),
        ({"models": "[{]"}, "openai"),
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
        build(**section)


def test_models_of_openai_live_beside_those_of_flow() -> None:
    catalog = ModelCatalog([*models_flow.register_models(), *models_openai.register_models()])

    described = catalog.describe("openai-gpt-image-1.5")
    assert described is not None
    assert (described.upstream, described.max_images) == ("openai", 16)
    assert all(not spec.is_free for spec in catalog.specs() if spec.upstream == "openai")
