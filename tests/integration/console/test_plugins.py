"""The plugins that were found, and which of them are wanted."""

from dataclasses import replace
from typing import Any

import pytest

from flow2api.adapters.console.doors import PluginFacts, PluginSetting
from flow2api.adapters.console.plugins.views import PluginsPage, look
from flow2api.app.plugin_settings import PluginSettings
from flow2api.domain.options import OptionSource, OptionStanding
from tests.integration.console.conftest import Site, text_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

THRIFTY = PluginFacts(
    name="thrifty",
    version="1.2",
    source="flow2api-thrifty 1.2",
    state="not enabled",
    is_built_in=False,
    is_enabled_by_settings=False,
    error=None,
    hooks=(),
    sha256="",
    brings=(),
    settings=(),
)
DIARY = replace(THRIFTY, name="diary", state="loaded", hooks=("register_observers",), brings=("diary",))
CLASHING = replace(
    THRIFTY,
    name="other",
    state="failed",
    error="The plugins 'diary' and 'other' both register 'diary'; disable one of them.",
)


class Shelf:
    """Doors that know these plugins only, and an option that can be fixed."""

    def __init__(self, site: Site, *plugins: PluginFacts, wanted: tuple[str, ...] = (), is_fixed: bool = False) -> None:
        source = OptionSource.SETTINGS if is_fixed else OptionSource.SET
        standing = OptionStanding(name="plugins", value=wanted, default=(), source=source)
        now = replace(site.services.options(), plugins=wanted)

        class Options:
            def __call__(self) -> Any:
                return now

            async def standing(self) -> Any:
                return [standing]

        self.plugins, self.options = plugins, Options()
        self.plugin_settings = PluginSettings(site.services.known_plugins, site.services.settings)


async def page_of(site: Site, *plugins: PluginFacts, **changes: Any) -> PluginsPage:
    doors: Any = Shelf(site, *plugins, **changes)
    return await look(doors)


async def test_built_in_ones_are_told_with_their_hooks_and_settings(site: Site) -> None:
    page = await site.viewer.read("/console/plugins")
    assert "storage_sql" in page
    assert "register_storages" in page
    assert "flow.labs_base_url" in page
    assert "FLOW2API_FLOW__LABS_BASE_URL" in page
    assert "No plugin of others" in page


async def test_enabling_and_disabling_act_at_the_next_start_and_say_so(site: Site) -> None:
    page = await page_of(site, THRIFTY, DIARY, wanted=("thrifty",))
    rows = {row.name: row for row in page.found}
    assert rows["thrifty"].act == "disable"
    assert rows["thrifty"].next_start == "It is loaded at the next start."
    assert rows["diary"].act == "enable"
    assert rows["diary"].next_start == "It is left out from the next start on."
    assert page.pending == 2


async def test_what_the_settings_fix_cannot_be_changed_here(site: Site) -> None:
    fixed = await page_of(site, DIARY, wanted=("diary",), is_fixed=True)
    named = await page_of(site, replace(DIARY, is_enabled_by_settings=True))
    assert [row.act for row in (*fixed.found, *named.found)] == ["", ""]
    assert "FLOW2API_OPTIONS__PLUGINS" in fixed.found[0].fixed_by
    assert "FLOW2API_PLUGINS" in named.found[0].fixed_by
    assert fixed.pending == named.pending == 0


async def test_conflicts_name_both_sides(site: Site) -> None:
    page = await page_of(site, DIARY, CLASHING, wanted=("diary", "other"))
    rows = {row.name: row for row in page.found}
    assert rows["diary"].clashes == ["other"]
    assert rows["other"].clashes == ["diary"]
    assert (page.loaded, page.failed) == (1, 1)


async def test_settings_show_their_variable(site: Site) -> None:
    setting = PluginSetting(name="diary.path", variable="FLOW2API_DIARY__PATH", kind="str", value="***")
    page = await page_of(site, replace(DIARY, settings=(setting,)))
    assert page.found[0].settings == (setting,)


async def test_only_owners_choose_and_only_what_is_there(site: Site) -> None:
    await site.operator.submit("/console/plugins/choose", 403, enable="thrifty")
    for name in ("thrifty", "storage_sql", "<script>"):
        answer = await site.owner.submit("/console/plugins/choose", 422, enable=name)
        assert "There is no such plugin here" in text_of(answer.text)
        assert "<script>alert" not in answer.text
