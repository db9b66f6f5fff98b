"""What counts as a check of an account, and how it went."""

from datetime import timedelta

import pytest

from flow2api.domain.checks import SHOWN, Check, CheckKind, CheckOutcome, latest, of_generation, of_renewal
from flow2api.domain.health import HealthKind
from flow2api.testing.fakes.clock import START as NOW


@pytest.mark.parametrize(
    ("kind", "state", "status", "made_ms", "outcome"),
    [
        ("image", "completed", 200, 60_000, CheckOutcome.FINE),
        ("image", "completed", 200, 60_001, CheckOutcome.SLOW),
        ("video", "completed", 200, 60_001, CheckOutcome.FINE),
        (None, "completed", None, 300_001, CheckOutcome.SLOW),
        ("image", "failed", 429, 5, CheckOutcome.FAILED),
        ("image", "failed", 502, 5, CheckOutcome.FAILED),
        ("image", "failed", None, 5, CheckOutcome.FAILED),
        ("image", "failed", 400, 5, None),
        ("image", "cancelled", 499, 5, None),
        ("image", "refused", 503, 5, None),
    ],
)
def test_end_of_a_generation(
    kind: str | None, state: str, status: int | None, made_ms: int, outcome: CheckOutcome | None
) -> None:
    check = of_generation(NOW, kind, state, status, made_ms)

    assert check == (None if outcome is None else Check(NOW, CheckKind.GENERATION, outcome))


def test_renewal() -> None:
    assert of_renewal(NOW, HealthKind.ACCESS_RENEWED).outcome is CheckOutcome.FINE
    assert of_renewal(NOW, HealthKind.RENEWAL_FAILED) == Check(NOW, CheckKind.RENEWAL, CheckOutcome.FAILED)


def test_last_thirty_are_looked_at_oldest_first() -> None:
    checks = [of_renewal(NOW + timedelta(seconds=at), HealthKind.ACCESS_RENEWED) for at in range(40)]

    assert latest(reversed(checks)) == checks[-SHOWN:]
