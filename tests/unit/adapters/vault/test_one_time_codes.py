"""Codes as the apps make them, half a minute each, one step of drift either way."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from flow2api.adapters.vault import TotpCodes
from flow2api.domain.secret import Secret

# The secret and the times of RFC 6238, appendix B; its codes have eight digits, of which apps show the last six.
RFC = Secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
KNOWN = [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")]

codes = TotpCodes()


@pytest.mark.parametrize(("at", "code"), KNOWN)
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    assert codes.step_of(RFC, Secret(code), datetime.fromtimestamp(at, UTC)) == at // 30


@pytest.mark.parametrize(("off_s", "step"), [(-60, None), (-30, 37037036), (0, 37037036), (30, 37037036), (60, None)])
def test_clock_may_be_one_step_off(off_s: int, step: int | None) -> None:
    at = datetime.fromtimestamp(1111111109, UTC) + timedelta(seconds=off_s)

    assert codes.step_of(RFC, Secret("081804"), at) == step


@pytest.mark.parametrize("wrong", ["", "081805", "81804", "0818040", "08180a", "٠٨١٨٠٤", "x" * 1000])
def test_wrong_code_belongs_to_no_step(wrong: str) -> None:
    assert codes.step_of(RFC, Secret(wrong), datetime.fromtimestamp(1111111109, UTC)) is None


def test_secrets_are_of_chance_and_told_to_apps_by_name() -> None:
    secrets = {codes.new_secret().reveal() for _ in range(20)}
    secret = secrets.pop()
    uri = urlsplit(codes.uri(Secret(secret), name="Ada Lovelace").reveal())

    assert len(secrets) == 19
    assert len(secret) == 32
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/flow2api:Ada%20Lovelace")
    assert parse_qs(uri.query) == {"secret": [secret], "issuer": ["flow2api"]}
