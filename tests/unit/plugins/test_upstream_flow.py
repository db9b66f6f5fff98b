from typing import Any

import pytest

from flow2api.adapters.flow.client import FlowUpstream
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import ConfigurationError
from flow2api.plugins import models_flow, upstream_flow
from flow2api.plugins.upstream_flow import read_settings
from flow2api.testing.fakes.clock import FakeClock


def build(**section: Any) -> FlowUpstream:
    (factory,) = upstream_flow.register_upstreams()
    assert factory.name == "flow"
    upstream = factory.build(section, FakeClock())
    assert isinstance(upstream, FlowUpstream)
    return upstream


def test_empty_section_means_the_real_service_in_its_latest_era() -> None:
    settings = read_settings({})

    assert settings.labs_base_url == "https://labs.google/fx/api"
    assert settings.api_base_url == "https://aisandbox-pa.googleapis.com/v1"
    assert settings.era == "2026-06"


def test_texts_of_the_environment_are_taken_for_numbers() -> None:
    settings = read_settings({"poll_batch_size": "20", "connect_timeout_s": "2.5"})

    assert (settings.poll_batch_size, settings.connect_timeout_s) == (20, 2.5)


@pytest.mark.parametrize("host", ["127.0.0.1:8899", "localhost:8899", "[::1]:8899"])
def test_simulator_on_the_loopback_may_be_plain_http(host: str) -> None:
    settings = read_settings({"labs_base_url": f"http://{host}/fx/api", "api_base_url": f"http://{host}/v1"})

    assert settings.api_base_url == f"http://{host}/v1"


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"eera": "seed"}, "eera"),
        ({"era": "2025"}, "era"),
        ({"poll_batch_size": 0}, "poll_batch_size"),
        ({"poll_batch_size": "many"}, "poll_batch_size"),
        ({"connect_timeout_s": -1}, "connect_timeout_s"),
        ({"labs_base_url": "https://labs.google"}, "/fx/api"),
        ({"labs_base_url": "https://labs.google/fx/api/"}, "/fx/api"),
        ({"api_base_url": "https://aisandbox-pa.googleapis.com"}, "/v1"),
        ({"api_base_url": "http://10.0.0.7/v1"}, "https"),
        ({"api_base_url": "https://me:pw@x.example/v1"}, "credentials"),
        ({"api_base_url": "https://x.example:99999/v1"}, "api_base_url"),
        ({"api_base_url": "file:///v1"}, "api_base_url"),
    ],
)
def test_wrong_setting_is_named(section: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        build(**section)


def test_error_shows_no_credentials() -> None:
    with pytest.raises(ConfigurationError) as error:
        build(api_base_url="https://me:sesame@x.example/v1")

    assert "sesame" not in error.value.message


@pytest.mark.parametrize("era", ["seed", "2026-06"])
def test_serves_exactly_what_has_a_key_in_its_era(era: str) -> None:
    upstream = build(era=era)
    specs = [entry for entry in models_flow.register_models() if isinstance(entry, ModelSpec)]

    served = {spec.name for spec in specs if upstream.serves(spec)}

    assert served == {spec.name for spec in specs if era in spec.wire["keys"]}
    assert served
