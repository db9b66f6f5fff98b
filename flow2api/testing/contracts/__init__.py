"""Contract suites: what every implementation of a port promises, as tests that its author runs on his own.

A suite is a class; whoever subclasses it says in fixtures how his implementation is made. The tests are asynchronous and
need ``asyncio_mode = "auto"`` in the settings of pytest.
"""

from pkgutil import iter_modules

import pytest

# Before the suites are imported: their assertions tell what they compared.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))

from flow2api.testing.contracts.backstage import ALL_OFFERS, Backstage, Offer  # noqa: E402
from flow2api.testing.contracts.coordination import CoordinationContract, NewProcess  # noqa: E402
from flow2api.testing.contracts.doctor_check import DoctorCheckContract  # noqa: E402
from flow2api.testing.contracts.events import EventsContract  # noqa: E402
from flow2api.testing.contracts.limits import LimitsContract  # noqa: E402
from flow2api.testing.contracts.media_store import MediaStoreContract  # noqa: E402
from flow2api.testing.contracts.observer import ObserverContract  # noqa: E402
from flow2api.testing.contracts.panel import PanelContract  # noqa: E402
from flow2api.testing.contracts.policy import SelectionPolicyContract  # noqa: E402
from flow2api.testing.contracts.proxy_selector import ProxySelectorContract  # noqa: E402
from flow2api.testing.contracts.reading import NewStorage  # noqa: E402
from flow2api.testing.contracts.response_shaper import ResponseShaperContract  # noqa: E402
from flow2api.testing.contracts.slots import SlotsContract  # noqa: E402
from flow2api.testing.contracts.storage import StorageContract  # noqa: E402
from flow2api.testing.contracts.upstream import UpstreamContract  # noqa: E402

__all__ = [
    "ALL_OFFERS",
    "Backstage",
    "CoordinationContract",
    "DoctorCheckContract",
    "EventsContract",
    "LimitsContract",
    "MediaStoreContract",
    "NewProcess",
    "NewStorage",
    "ObserverContract",
    "Offer",
    "PanelContract",
    "ProxySelectorContract",
    "ResponseShaperContract",
    "SelectionPolicyContract",
    "SlotsContract",
    "StorageContract",
    "UpstreamContract",
]
