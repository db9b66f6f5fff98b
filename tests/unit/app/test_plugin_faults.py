"""What plugins of others bring may fail when it is made or asked: only what was chosen stops the start, and is named."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from flow2api.app import foreign
from flow2api.app.backends import build_backends, build_vault
from flow2api.app.panels import build_panels
from flow2api.app.proxying import GuardedSelector
from flow2api.app.telling import observer_posts
from flow2api.domain.errors import ConfigurationError, PluginError
from flow2api.domain.proxy import Member
from flow2api.extensions import Extensions, load_extensions
from flow2api.settings import Settings
from flow2api.testing.fakes.clock import FakeClock

PLUGIN = """
from flow2api.domain.panels import PanelPlace
from flow2api.hookspecs import ConsolePanel, CoordinationFactory, MediaStoreFactory, ObserverFactory, StorageFactory, UpstreamFactory, hookimpl
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.catalog import Mode, ModelSpec, AspectRatio, Size
from flow2api.domain.media import MediaKind
from flow2api.plugins.coordination_memory import MemoryCoordination, MemorySlots
from flow2api.testing.fakes.upstream import FakeUpstream
import threading

def broken(*arguments):
    raise ZeroDivisionError("no divisor")

def unhappy(*arguments):
    raise ConfigurationError("The token is missing.")

class Moody(FakeUpstream):
    name = "moody"

    def serves(self, spec):
        raise SystemExit(0)

def leaving(*arguments):
    raise SystemExit(0)

def interrupting(*arguments):
    raise KeyboardInterrupt

def hanging(*arguments):
    threading.Event().wait()

def nothing(*arguments):
    print("made nothing")

@hookimpl
def register_storages():
    return [StorageFactory("broken", ("broken",), broken), StorageFactory("leaving", ("leaving",), leaving),
            StorageFactory("interrupting", ("interrupting",), interrupting),
            StorageFactory("hanging", ("hanging",), hanging), StorageFactory("nothing", ("nothing",), nothing)]

@hookimpl
def register_observers():
    class Wanting:
        kinds = 5

        def notify(self, notice):
            pass

    return [ObserverFactory("leaving_observer", leaving), ObserverFactory("nothing_observer", nothing),
            ObserverFactory("wanting", lambda section: Wanting())]

@hookimpl
def register_console_panels():
    return [ConsolePanel("broken_panel", "Broken", PanelPlace.SYSTEM, broken),
            ConsolePanel("nothing_panel", "Nothing", PanelPlace.OVERVIEW, nothing)]

@hookimpl
def register_media_stores():
    return [MediaStoreFactory("broken_media", ("broken",), broken)]

@hookimpl
def register_coordinations():
    return [CoordinationFactory("a", ("broken",), broken), CoordinationFactory("b", ("unhappy",), unhappy),
            CoordinationFactory("c", ("fine",), lambda url, section: MemoryCoordination()),
            CoordinationFactory("d", ("former",), lambda url, section: MemorySlots())]

@hookimpl
def register_upstreams():
    return [UpstreamFactory("broken", broken), UpstreamFactory("moody", lambda section, clock: Moody(clock)),
            UpstreamFactory("leaving", leaving), UpstreamFactory("hanging", hanging), UpstreamFactory("nothing", nothing)]

@hookimpl
def register_models():
    return [ModelSpec(name="moody-1", upstream="moody", kind=MediaKind.IMAGE, mode=Mode.TEXT, line="moody",
                      aspect_ratio=AspectRatio(1, 1), size=Size(8, 8))]
"""


OFFERING = """
import threading
from itertools import repeat
from flow2api.hookspecs import UpstreamFactory, hookimpl
from flow2api.testing.factories import picture_spec
from flow2api.testing.fakes.upstream import FakeUpstream

class Offering(FakeUpstream):
    name = "offering"

    def models(self):
        WHAT

    def serves(self, spec):
        SERVES

@hookimpl
def register_upstreams():
    return [UpstreamFactory("offering", lambda section, clock: Offering(clock))]

@hookimpl
def register_models():
    return [picture_spec("own-1", upstream="offering"), picture_spec("own-2", upstream="offering")]
"""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "LOADING_S", 0.05)


@pytest.fixture
def extensions(tmp_path: Path) -> Extensions:
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o700)
    (folder / "theirs.py").write_text(PLUGIN)
    (folder / "theirs.py").chmod(0o600)
    found = load_extensions(["theirs"], folder=folder)
    assert found.left_out == ()
    return found


async def built(extensions: Extensions, tmp_path: Path, **settings: Any) -> Any:
    given = Settings(data_dir=tmp_path / "data", **settings)
    backends = build_backends(given, extensions, build_vault(given), FakeClock())
    for upstream in backends.upstreams.values():
        await upstream.aclose()
    return backends


async def test_upstream_that_cannot_be_made_is_left_out_and_told(extensions: Extensions, tmp_path: Path) -> None:
    with capture_logs() as logs:
        backends = await built(extensions, tmp_path)

    assert set(backends.upstreams) == {"flow", "gemini", "openai", "moody"}
    assert backends.catalog.describe("moody-1") is None
    assert len(backends.catalog.listed()) > 10
    assert [(one["event"], one.get("plugin")) for one in logs] == [
        *[("upstream left out", "theirs")] * 4,
        ("model left out", None),
    ]


def offering(tmp_path: Path, models: str, serves: str = "return True") -> Extensions:
    folder = tmp_path / "offering"
    folder.mkdir(mode=0o700)
    (folder / "offering.py").write_text(OFFERING.replace("WHAT", models).replace("SERVES", serves))
    (folder / "offering.py").chmod(0o600)
    found = load_extensions(["offering"], folder=folder)
    assert found.left_out == ()
    return found


async def test_models_that_an_upstream_of_others_offers_are_in_the_catalog(tmp_path: Path) -> None:
    extensions = offering(tmp_path, "return [picture_spec('offered', upstream='offering')]")

    backends = await built(extensions, tmp_path)

    assert {"own-1", "own-2", "offered"} <= {one.id for one in backends.catalog.listed()}
    assert backends.model_sources["offered"] == "offering.models"


@pytest.mark.parametrize(
    "models",
    [
        "raise ZeroDivisionError('no divisor')",
        "raise SystemExit(0)",
        "threading.Event().wait()",
        "return repeat(picture_spec('offered', upstream='offering'))",
        "return [7]",
        "return None",
        "return [picture_spec('own-1', upstream='offering')]",
        "return [picture_spec(['offered'], upstream='offering')]",
    ],
)
async def test_models_that_an_upstream_of_others_cannot_tell_are_left_out_and_told_once(
    tmp_path: Path, models: str
) -> None:
    with capture_logs() as logs:
        backends = await built(offering(tmp_path, models), tmp_path)

    listed = {one.id for one in backends.catalog.listed()}
    assert ({"own-1", "own-2"} <= listed, len(listed) > 10) == (True, True)
    assert "offered" not in backends.model_sources
    assert [(one["event"], one["upstream"], one["plugin"]) for one in logs] == [
        ("models left out", "offering", "offering")
    ]


async def test_upstream_of_others_that_does_not_say_what_it_serves_is_waited_for_once(tmp_path: Path) -> None:
    with capture_logs() as logs:
        backends = await built(offering(tmp_path, "return []", "threading.Event().wait()"), tmp_path)

    assert not [one for one in backends.catalog.listed() if one.id.startswith("own-")]
    assert [(one["event"], one["upstream"]) for one in logs] == [("models left out", "offering")]


@pytest.mark.parametrize("setting", ["database_url", "media_url", "coordination_url"])
async def test_what_a_setting_has_chosen_is_named_with_the_setting(
    extensions: Extensions, tmp_path: Path, setting: str
) -> None:
    told = (
        f"The plugin 'theirs', which the setting {setting} asks for: It failed while it was made: ZeroDivisionError: no"
    )
    with capture_logs(), pytest.raises(PluginError, match=told):
        await built(extensions, tmp_path, **{setting: "broken:"})


@pytest.mark.parametrize(
    ("scheme", "told"),
    [
        ("leaving", "It failed while it was made: SystemExit"),
        ("interrupting", "It raised KeyboardInterrupt"),
        ("hanging", r"It did not come to an end within 0\.05 s while it was made\."),
        ("nothing", r"It made an object of the type NoneType, which lacks accounts, aclose, .*, webhooks\."),
    ],
)
async def test_what_ends_hangs_or_makes_nothing_is_named_like_what_fails(
    extensions: Extensions, tmp_path: Path, scheme: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with capture_logs(), pytest.raises(PluginError, match=f"asks for: {told}"):
        await built(extensions, tmp_path, database_url=f"{scheme}:")

    assert capsys.readouterr().out == ""


def test_observer_that_cannot_be_made_is_left_out_and_told(extensions: Extensions) -> None:
    with capture_logs() as logs:
        posts = list(observer_posts(Settings(), extensions))

    assert [post.name for post in posts] == ["log"]
    assert [(one["event"], one["observer"], one["plugin"]) for one in logs] == [
        ("observer left out", name, "theirs") for name in ("leaving_observer", "nothing_observer", "wanting")
    ]


def test_panel_that_cannot_be_made_is_left_out_and_told(extensions: Extensions) -> None:
    with capture_logs() as logs:
        panels = build_panels(Settings(), extensions)

    assert [panel.name for panel in panels] == ["proxies"]
    assert [(one["event"], one["panel"], one["plugin"]) for one in logs] == [
        ("console panel left out", name, "theirs") for name in ("broken_panel", "nothing_panel")
    ]


async def test_coordination_that_lacks_a_part_is_told_so(extensions: Extensions, tmp_path: Path) -> None:
    with pytest.raises(
        PluginError, match="type MemorySlots, which lacks aclose, events, is_shared, limits, ping, slots"
    ):
        await built(extensions, tmp_path, coordination_url="former:")


async def test_plugins_own_word_is_kept(extensions: Extensions, tmp_path: Path) -> None:
    with capture_logs(), pytest.raises(ConfigurationError, match=r"^The token is missing\.$"):
        await built(extensions, tmp_path, coordination_url="unhappy:")


async def test_what_others_have_made_is_held_to_time_and_our_own_is_not(extensions: Extensions, tmp_path: Path) -> None:
    with capture_logs():
        theirs = await built(extensions, tmp_path, coordination_url="fine:")
        ours = await built(extensions, tmp_path)

    assert type(theirs.coordination.slots).__name__ == "MemorySlotsInTime"
    assert type(ours.coordination.slots).__name__ == "MemorySlots"


class Selector:
    def __init__(self, chosen: Any) -> None:
        self._chosen = chosen

    def select(self, account_id: int, members: Sequence[Member]) -> Any:
        return self._chosen() if callable(self._chosen) else self._chosen


MEMBERS = [Member("a", 0), Member("b", 3)]


@pytest.mark.parametrize("chosen", [None, Member("c", 0), lambda: 1 / 0, sys.exit])
def test_selector_that_fails_is_told_once_and_an_account_keeps_its_member(chosen: Any) -> None:
    selector = GuardedSelector("theirs", lambda: Selector(chosen))

    with capture_logs() as logs:
        names = [selector.select(account, MEMBERS).name for account in (1, 2, 1)]

    assert names == ["b", "a", "b"]
    assert [one["selector"] for one in logs] == ["theirs"]


def test_selector_that_works_decides() -> None:
    assert GuardedSelector("theirs", lambda: Selector(MEMBERS[0])).select(1, MEMBERS) is MEMBERS[0]
