"""An installation in memory, as checks of the doctor see one."""

from pathlib import Path

from flow2api.domain.catalog import ModelCatalog
from flow2api.domain.options import Options
from flow2api.domain.ports.coordination import Coordination
from flow2api.domain.ports.media import MediaStore
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.hookspecs import Examined, ExaminedBackends, ExaminedOptions, Section
from flow2api.testing.factories import picture_spec, video_spec
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.coordination import FakeCoordination
from flow2api.testing.fakes.media import FakeMediaStore
from flow2api.testing.fakes.storage import FakeStorage


def examined_of(
    data_dir: Path,
    section: Section | None = None,
    *,
    storage: Storage | None = None,
    store: MediaStore | None = None,
    coordination: Coordination | None = None,
    clock: Clock | None = None,
    options: Options | None = None,
    host: str = "127.0.0.1",
    public_url: str = "",
) -> Examined:
    """A sound installation, empty but for two models.

    Args:
        section: The check's own section of the settings, as its plugin has described it.
        storage: Open, for checks that need "database".
        options: As they are set; the defaults when nobody says.
    """
    clock = clock or FakeClock()
    backends = ExaminedBackends(
        storage=storage or FakeStorage(),
        store=store or FakeMediaStore(),
        coordination=coordination or FakeCoordination(),
        catalog=ModelCatalog((picture_spec(), video_spec())),
    )

    async def read_options() -> ExaminedOptions:
        return ExaminedOptions(options=options or Options(), ignored={})

    return Examined(
        section=section or {},
        data_dir=data_dir,
        media_url=f"file:{data_dir / 'media'}",
        secret_key_file=None,
        has_secret_key=True,
        host=host,
        public_url=public_url,
        clock=clock,
        backends=lambda: backends,
        options=read_options,
    )
