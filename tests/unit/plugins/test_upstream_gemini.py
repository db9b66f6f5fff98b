from typing import Any

import pytest

from flow2api.adapters.gemini.client import GeminiUpstream
from flow2api.domain.errors import ConfigurationError
from flow2api.plugins import upstream_gemini
from flow2api.plugins.upstream_gemini import read_settings
from flow2api.settings import load_settings
from flow2api.testing.fakes.clock import FakeClock
from tests.integration.gemini.stage import IMAGEN, PICTURE


def build(**section: Any) -> GeminiUpstream:
    (factory,) = upstream_gemini.register_upstreams()
    assert factory.name == "gemini"
    upstream = factory.build(section, FakeClock())
    assert isinstance(upstream, GeminiUpstream)
    return upstream


def test_empty_section_means_the_real_service() -> None:
    settings = read_settings({})

    assert (settings.base_url, settings.api_version) == ("https://generativelanguage.googleapis.com", "v1beta")


def test_section_can_be_set_in_the_environment() -> None:
    environment = {
        "FLOW2API_GEMINI__BASE_URL": "http://127.0.0.1:8899/gemini",
        "FLOW2API_GEMINI__API_VERSION": "v1",
        "FLOW2API_GEMINI__IMAGEN": "true",
        "FLOW2API_GEMINI__PICTURE_TIMEOUT_S": "9.5",
    }
    settings = read_settings(load_settings(environment, sections=["gemini"]).sections["gemini"])

    assert (settings.base_url, settings.api_version) == ("http://127.0.0.1:8899/gemini", "v1")
    assert (settings.imagen, settings.picture_timeout_s) == (True, 9.5)


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"base"}, "base"),
        ({"base_url": "http://10.0.0.7/gemini"}, "https"),
        ({"base_url": "https://me:pw@x.example"}, "credentials"),
        ({"base_url": "https://x.example?key=1"}, "query"),
        ({"base_url": "https://x.example:99999"}, "base_url"),
        ({"base_url": "file:///x"}, "base_url"),
        ({"base_url": "https://x.example/v1beta"}, "api_version"),
        ({"base_url": "https://x.example/v1/"}, "api_version"),
        ({"api_version": "../v1"}, "api_version"),
        ({"picture_timeout_s": 0}, "picture_timeout_s"),
        ({"bas_url": "https://x.example"}, "bas_url"),
    ],
)
def test_wrong_setting_is_named(section: Any, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        read_settings(dict.fromkeys(section, 1) if isinstance(section, set) else section)


def test_imagen_is_served_where_the_setting_says_so() -> None:
    assert not build().serves(IMAGEN)
    assert build(imagen="true").serves(IMAGEN)
    assert build().serves(PICTURE)
