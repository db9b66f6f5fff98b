"""Codes that change by time, as apps on phones make them."""

from datetime import datetime
from hmac import compare_digest
from typing import TYPE_CHECKING

import pyotp

from flow2api.domain.secret import Secret

ISSUER = "flow2api"
PERIOD_S = 30
DIGITS = 6

_DRIFT = 1
"""So many steps the clock of a phone may be off, either way."""


class TotpCodes:
    """Six digits each half minute by SHA-1: the one form that every app knows."""

    def new_secret(self) -> Secret:
        return Secret(pyotp.random_base32())

    def uri(self, secret: Secret, *, name: str) -> Secret:
        return Secret(_totp(secret).provisioning_uri(name=name, issuer_name=ISSUER))

    def step_of(self, secret: Secret, code: Secret, at: datetime) -> int | None:
        text = code.reveal()
        if len(text) != DIGITS or not (text.isascii() and text.isdecimal()):
            return None
        totp = _totp(secret)
        now = totp.timecode(at)
        steps = [step for step in (now, now - _DRIFT, now + _DRIFT) if compare_digest(totp.generate_otp(step), text)]
        return steps[0] if steps else None


def _totp(secret: Secret) -> pyotp.TOTP:
    return pyotp.TOTP(secret.reveal(), digits=DIGITS, interval=PERIOD_S)


if TYPE_CHECKING:
    from flow2api.domain.ports.second_factors import OneTimeCodes

    def _is_one_time_codes(codes: TotpCodes) -> OneTimeCodes:
        return codes
