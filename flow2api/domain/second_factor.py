"""What an operator has beside a passphrase: codes that change by time, and some on paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flow2api.domain.secret import Secret

RECOVERY_CODES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """The second factor of one operator. It is asked for as soon as it is confirmed.

    Attributes:
        secret: What the codes are made of, in base32.
        confirmed_at: When a code proved that the operator has the secret; None while that is not done.
        last_step: The latest step of time whose code was taken; codes of this step and before are taken no more.
        recovery: Keyed hashes of the recovery codes that are left.
    """

    operator_id: int
    secret: Secret
    created_at: datetime
    confirmed_at: datetime | None = None
    last_step: int = 0
    recovery: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the operator takes over into an app: the secret, to be typed, and the same as an ``otpauth`` address."""

    secret: Secret
    uri: Secret


@dataclass(frozen=True, slots=True)
class SecondFactorStanding:
    """What there is to know of an operator's second factor.

    Attributes:
        since: Since when it is asked for; None when it is not.
        recovery_codes: How many are left.
    """

    since: datetime | None = None
    recovery_codes: int = 0


RecoveryCodes = Sequence[Secret]
"""Shown once, and kept nowhere."""
