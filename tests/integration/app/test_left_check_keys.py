"""What a server that was killed in the middle of a connection check leaves behind."""

from pathlib import Path

from flow2api.adapters.console.checks.check_keys import new_key
from flow2api.app import Services, build_services, running
from flow2api.domain.audit import Actor, AuditFilter
from flow2api.extensions import load_extensions
from flow2api.settings import load_settings


def services_at(folder: Path) -> Services:
    extensions = load_extensions()
    settings = load_settings({"FLOW2API_DATA_DIR": str(folder / "data")}, sections=extensions.sections)
    return build_services(settings, extensions)


async def test_next_start_revokes_the_key_of_a_check_that_was_cut_off(tmp_path: Path) -> None:
    killed, started = services_at(tmp_path), services_at(tmp_path)
    async with running(killed):
        key, text = await new_key(killed.operating.keys, killed.clock, Actor(name="ada", door="console"))
        kept, _ = await killed.operating.keys.create("shop")

    async with running(started):
        assert started.authorize.known(text.reveal()) is None
        assert [one.id for one in await started.operating.keys.all() if one.is_active] == [kept.id]
        (entry, *_) = (await started.operating.audit_log.page(AuditFilter())).items
        assert (entry.action, entry.subject, entry.actor.name) == ("key.revoked", str(key.id), "flow2api")
