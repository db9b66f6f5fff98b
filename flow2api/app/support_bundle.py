"""What somebody who helps needs to know of an installation, and nothing that must stay here."""

import platform
import re
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from flow2api import __version__
from flow2api.app.composition import Services
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import StorageError
from flow2api.domain.ports.storage import Maintains
from flow2api.domain.redaction import redact_text
from flow2api.domain.usecases.read_spans import Span

_PACKAGES = ("litestar", "msgspec", "sqlalchemy", "uvloop", "pluggy", "jinja2", "curl_cffi", "pillow", "av")

_HOMES = re.compile(r"(?i)(?:/home|/users|[a-z]:\\users)[/\\][^/\\\s'\":,;]+")


def packages() -> Mapping[str, str]:
    """The versions of what the program is made of; what is not installed is left out."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


async def support_bundle(services: Services, actor: Actor) -> Mapping[str, Any]:
    """As JSON can say it, once the audit log knows who takes it.

    No secret, no prompt, no name or address of an account, a key or a person is in it, and no path that has one.

    Raises:
        StorageError: The audit log does not take it.
    """
    entry = AuditEntry(at=services.clock.now(), actor=actor, action=AuditAction.BUNDLE_TAKEN)
    await services.storage.audit_log.note(entry)
    standing = await services.options.standing()
    examined = services.overseeing.diagnosis.latest or await services.overseeing.diagnosis()
    accounts = (await services.overseeing.glance.accounts()).page
    bundle = {
        "flow2api": __version__,
        "made_at": services.clock.now().isoformat(),
        "system": {"python": sys.version.split()[0], "machine": platform.machine(), "os": platform.system()},
        "packages": packages(),
        "database": await _database(services),
        "checks": [
            {
                "name": one.name,
                "state": one.finding.state.value,
                "sentence": redact_text(one.finding.sentence),
                "cure": one.finding.cure,
            }
            for one in examined.diagnoses
        ],
        "plugins": [
            {
                "name": one.name,
                "version": one.version,
                "state": one.state.value,
                "hooks": list(one.hooks),
                "error": None if one.error is None else redact_text(one.error),
            }
            for one in services.extensions.plugins
        ],
        "options": {one.name: one.source.value for one in standing},
        "accounts": {state.value: count for state, count in accounts.counts.items() if count},
        "paused_hosts": [f"{one.upstream} {one.host.value}" for one in services.overseeing.glance.paused_hosts()],
        "proxies": [one.health.state.value for one in services.overseeing.glance.proxies()],
        "load": await _load(services),
    }
    found: Mapping[str, Any] = without_places(bundle, services.settings.data_dir, Path.home())
    return found


def without_places(value: Any, data_dir: Path, home: Path) -> Any:
    """The same with the data folder by its role and home folders as ``~``: their paths name people and tell no more."""
    if isinstance(value, str):
        for folder in dict.fromkeys((data_dir.absolute(), data_dir.resolve())):
            value = _folder(folder).sub("<data folder>", value)
        if home != home.parent:
            value = _folder(home).sub("~", value)
        return _HOMES.sub("~", value)
    if isinstance(value, Mapping):
        return {name: without_places(one, data_dir, home) for name, one in value.items()}
    if isinstance(value, list):
        return [without_places(one, data_dir, home) for one in value]
    return value


def _folder(path: Path) -> re.Pattern[str]:
    return re.compile(re.escape(str(path)) + r"(?![\w-])")


async def _database(services: Services) -> Mapping[str, Any]:
    storage = services.storage
    if not isinstance(storage, Maintains):
        return {"scheme": "looks after itself"}
    try:
        found = await storage.examine()
    except StorageError as error:
        return {"fault": redact_text(error.message)}
    return {"schema": found.schema, "size_bytes": found.size_bytes, "faults": len(found.faults)}


async def _load(services: Services) -> Mapping[str, Any]:
    total = (await services.overseeing.glance.figures(Span.DAY)).total.all
    return {
        "under_way": services.overseeing.drain.left(),
        "waiting": services.overseeing.drain.waiting(),
        "event_loop_late_s": services.overseeing.lag.percentile_s(0.99),
        "log_lines_dropped": services.overseeing.doctor.dropped(),
        "succeeded_24h": total.succeeded,
        "failed_24h": total.errors,
        "refused_24h": total.refused,
    }
