"""The tables, one module for each area. Instants are whole microseconds since 1970 in UTC.

Conditions of indexes stand here for SQLite alone, though migrations write them for PostgreSQL, too: an option that begins
with the name of another database loads all that SQLAlchemy knows of it, at every start.
"""

from flow2api.adapters.persistence.rows.accounts import AccountRow, CredentialRow, DeletedAccountRow
from flow2api.adapters.persistence.rows.api_keys import ApiKeyRow
from flow2api.adapters.persistence.rows.audit_log import AuditRow
from flow2api.adapters.persistence.rows.base import Row
from flow2api.adapters.persistence.rows.changes import ChangeRow
from flow2api.adapters.persistence.rows.credits import CreditsRow
from flow2api.adapters.persistence.rows.facts import CounterRow, FactRow
from flow2api.adapters.persistence.rows.generations import ClaimRow, GenerationRow
from flow2api.adapters.persistence.rows.health import HealthEventRow
from flow2api.adapters.persistence.rows.journal import RequestLogRow
from flow2api.adapters.persistence.rows.media import MediaRow
from flow2api.adapters.persistence.rows.notify import DeliveryRow, NotifyTargetRow, ToldNoticeRow, WebhookRow
from flow2api.adapters.persistence.rows.operators import (
    OperatorRow,
    RecoveryCodeRow,
    SecondFactorRow,
    SetupCodeRow,
)
from flow2api.adapters.persistence.rows.options import OptionRow
from flow2api.adapters.persistence.rows.proxies import ProxyAssignmentRow, ProxyRow
from flow2api.adapters.persistence.rows.sessions import SessionRow, SignInTriesRow
from flow2api.adapters.persistence.rows.statistics import (
    DayStatisticRow,
    OverallStatisticRow,
    QuarterStatisticRow,
    TotalStatisticRow,
)

__all__ = [
    "AccountRow",
    "ApiKeyRow",
    "AuditRow",
    "ChangeRow",
    "ClaimRow",
    "CounterRow",
    "CredentialRow",
    "CreditsRow",
    "DayStatisticRow",
    "DeletedAccountRow",
    "DeliveryRow",
    "FactRow",
    "GenerationRow",
    "HealthEventRow",
    "MediaRow",
    "NotifyTargetRow",
    "OperatorRow",
    "OptionRow",
    "OverallStatisticRow",
    "ProxyAssignmentRow",
    "ProxyRow",
    "QuarterStatisticRow",
    "RecoveryCodeRow",
    "RequestLogRow",
    "Row",
    "SecondFactorRow",
    "SessionRow",
    "SetupCodeRow",
    "SignInTriesRow",
    "ToldNoticeRow",
    "TotalStatisticRow",
    "WebhookRow",
]
