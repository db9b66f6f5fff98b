from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from flow2api.domain.account import Account, Credentials
from flow2api.domain.catalog import ModelCatalog
from flow2api.domain.options import Options
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.diagnose import CheckState
from flow2api.hookspecs import Examined, ExaminedBackends, ExaminedOptions
from flow2api.plugins.coordination_memory import MemoryCoordination
from flow2api.plugins.doctor_checks.chosen import look_at_base_urls, look_at_models, look_at_options, look_at_proxies
from flow2api.plugins.doctor_checks.surroundings import look_at_console
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.media import FakeMediaStore
from flow2api.testing.fakes.storage import FakeStorage


def examined(
    options: Options, ignored: Mapping[str, str], storage: FakeStorage | None = None, plain: tuple[str, ...] = ()
) -> Examined:
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
        plain_http_hosts=plain,
        clock=FakeClock(),
        backends=lambda: ExaminedBackends(
            storage=storage or FakeStorage(),
            store=FakeMediaStore(),
            coordination=MemoryCoordination(),
            catalog=ModelCatalog([], lambda spec: True),
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


async def test_keys_that_go_over_plain_http_are_told_by_the_host_alone() -> None:
    storage = FakeStorage()
    urls = ("https://a.example.org", "http://127.0.0.1:8000/v1", None, "http://media:8000/v1", "http://10.0.0.5/v1")
    for url in urls[:3]:
        account = Account(id=0, upstream="openai", name="", created_at=START, base_url=url)
        await storage.accounts.add([(account, Credentials(Secret("k1")))])
    assert await look_at_base_urls(examined(Options(), {}, storage, ("media",))) is None
    for url in urls[3:]:
        account = Account(id=0, upstream="openai", name="", created_at=START, base_url=url)
        await storage.accounts.add([(account, Credentials(Secret("k1")))])

    unnamed = await look_at_base_urls(examined(Options(), {}, storage, ("media",)))
    named = await look_at_base_urls(examined(Options(), {}, storage, ("Media", "10.0.0.5")))

    assert unnamed is not None
    assert (unnamed.state, "does not name: 10.0.0.5." in unnamed.sentence) == (CheckState.FAIL, True)
    assert named is not None
    assert (named.state, "to 10.0.0.5, media, as" in named.sentence) == (CheckState.WARN, True)
