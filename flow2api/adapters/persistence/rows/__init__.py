"""The tables, one module for each area. Instants are whole microseconds since 1970 in UTC."""

from flow2api.adapters.persistence.rows.accounts import AccountRow, CredentialRow
from flow2api.adapters.persistence.rows.api_keys import ApiKeyRow
from flow2api.adapters.persistence.rows.base import Row
from flow2api.adapters.persistence.rows.changes import ChangeRow
from flow2api.adapters.persistence.rows.facts import CounterRow, FactRow
from flow2api.adapters.persistence.rows.generations import ClaimRow, GenerationRow
from flow2api.adapters.persistence.rows.health import HealthEventRow
from flow2api.adapters.persistence.rows.journal import RequestLogRow, StatisticRow
from flow2api.adapters.persistence.rows.media import MediaRow
from flow2api.adapters.persistence.rows.operators import OperatorRow
from flow2api.adapters.persistence.rows.options import OptionRow

__all__ = [
    "AccountRow",
    "ApiKeyRow",
    "ChangeRow",
    "ClaimRow",
    "CounterRow",
    "CredentialRow",
    "FactRow",
    "GenerationRow",
    "HealthEventRow",
    "MediaRow",
    "OperatorRow",
    "OptionRow",
    "RequestLogRow",
    "Row",
    "StatisticRow",
]
