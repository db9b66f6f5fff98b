from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from flow2api.domain.catalog import ModelCatalog
from flow2api.domain.options import Options
from flow2api.domain.usecases.diagnose import CheckState
from flow2api.hookspecs import Examined, ExaminedBackends, ExaminedOptions
from flow2api.plugins.doctor_checks.chosen import look_at_models, look_at_options, look_at_proxies
from flow2api.plugins.doctor_checks.surroundings import look_at_console
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.media import FakeMediaStore
from flow2api.testing.fakes.storage import FakeStorage


def examined(options: Options, ignored: Mapping[str, str]) -> Examined:
    async def read() -> ExaminedOptions:
        return ExaminedOptions(options=options, ignored=ignored)

    return Examined(
        section={},
        data_dir=Path(),
        media_url="file:media",
        secret_key_file=None,
        has_secret_key=False,
        host="127.0.0.1",
        public_url="",
        clock=FakeClock(),
        backends=lambda: ExaminedBackends(
            storage=FakeStorage(), store=FakeMediaStore(), catalog=ModelCatalog([], lambda spec: True)
        ),
        options=read,
    )


async def test_ignored_option_fails_with_its_reason() -> None:
    found = await look_at_options(examined(Options(), {"policy": "There is no selection policy 'gone'."}))

    assert found.state is CheckState.FAIL
    assert "The stored option policy is ignored: There is no selection policy 'gone'." in found.sentence


async def test_options_that_can_be_used_are_fine() -> None:
    found = await look_at_options(examined(Options(policy="random"), {}))

    assert (found.state, found.sentence) == (CheckState.OK, "The options can be used; accounts are chosen by random.")


async def test_proxy_that_is_gone_fails() -> None:
    assert (await look_at_proxies(examined(Options(proxy="gone"), {}))).state is not CheckState.OK
    assert (await look_at_proxies(examined(Options(), {}))).state is CheckState.OK


async def test_installation_without_models_is_warned_of() -> None:
    assert (await look_at_models(examined(Options(), {}))).state is CheckState.WARN


async def test_console_that_takes_passphrases_over_plain_http_is_warned_of() -> None:
    found = await look_at_console(replace(examined(Options(), {}), has_plain_http=True))

    assert found is not None
    assert found.state is CheckState.WARN
    assert await look_at_console(examined(Options(), {})) is None
