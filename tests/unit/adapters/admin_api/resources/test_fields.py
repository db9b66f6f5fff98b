"""What is shown over HTTP has the names that the command line prints as JSON."""

import msgspec
import pytest

from flow2api.adapters.admin_api.resources.account_views import AccountView, EventView, RestView
from flow2api.adapters.admin_api.resources.audit_entries import AuditView
from flow2api.adapters.admin_api.resources.deliveries import DeliveryView
from flow2api.adapters.admin_api.resources.generations import GenerationView
from flow2api.adapters.admin_api.resources.keys import KeyView
from flow2api.adapters.admin_api.resources.notify_targets import TargetView
from flow2api.adapters.admin_api.resources.operators import OperatorView
from flow2api.adapters.admin_api.resources.proxies import ProxyCheck, ProxyView
from flow2api.adapters.admin_api.resources.statistics import CountsView
from flow2api.adapters.admin_api.resources.webhooks import WebhookView
from flow2api.cli.account_health import EventOut, RestOut
from flow2api.cli.account_views import AccountOut
from flow2api.cli.audit import AuditOut
from flow2api.cli.generations import GenerationOut
from flow2api.cli.keys import KeyOut
from flow2api.cli.notify import TargetOut
from flow2api.cli.operator import OperatorOut
from flow2api.cli.options import OptionOut
from flow2api.cli.proxy_views import CheckOut, ProxyOut
from flow2api.cli.stats import CountsOut
from flow2api.cli.webhook_views import DeliveryOut, WebhookOut

SAME = [
    (AccountView, AccountOut),
    (RestView, RestOut),
    (EventView, EventOut),
    (AuditView, AuditOut),
    (DeliveryView, DeliveryOut),
    (GenerationView, GenerationOut),
    (KeyView, KeyOut),
    (TargetView, TargetOut),
    (OperatorView, OperatorOut),
    (ProxyView, ProxyOut),
    (ProxyCheck, CheckOut),
    (CountsView, CountsOut),
]


@pytest.mark.parametrize(("over_http", "printed"), SAME, ids=lambda one: one.__name__)
def test_names_are_those_of_the_command_line(over_http: type[msgspec.Struct], printed: type[msgspec.Struct]) -> None:
    assert set(over_http.__struct_fields__) == set(printed.__struct_fields__)


def test_webhook_and_option_say_more_over_http() -> None:
    assert set(WebhookView.__struct_fields__) - {"is_enabled"} == set(WebhookOut.__struct_fields__)
    assert {"name", "value", "default", "source"} == set(OptionOut.__struct_fields__)
