from types import SimpleNamespace
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


def looking_at(section: dict[str, Any]) -> Any:
    """As much of the installation as its checks look at."""
    return SimpleNamespace(section=section)


async def test_addresses_are_told_without_a_call() -> None:
    flow = looking_at({"labs_base_url": "http://127.0.0.1:9/fx/api", "era": "seed"})

    finding = await upstream_flow.look_at_addresses(flow)

    assert finding.sentence == (
        "Flow is asked at http://127.0.0.1:9 and https://aisandbox-pa.googleapis.com, in the era seed."
    )


async def test_address_of_a_wrong_form_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="labs_base_url"):
        await upstream_flow.look_at_addresses(looking_at({"labs_base_url": "http://elsewhere.example/fx/api"}))


async def test_hosts_are_asked_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def answers_at(origin: str) -> int:
        asked.append(origin)
        return 404

    monkeypatch.setattr("flow2api.adapters.probe.answers_at", answers_at)
    apart = looking_at({"labs_base_url": "http://127.0.0.1:9/fx/api", "api_base_url": "http://127.0.0.2:9/v1"})
    together = looking_at({"labs_base_url": "http://127.0.0.1:9/fx/api", "api_base_url": "http://127.0.0.1:9/v1"})

    found = [await upstream_flow.reach_labs(apart), await upstream_flow.reach_api(apart)]
    assert asked == ["http://127.0.0.1:9", "http://127.0.0.2:9"]
    assert [one.state.value for one in found if one] == ["ok", "ok"]
    assert await upstream_flow.reach_api(together) is None
    assert len(asked) == 2
