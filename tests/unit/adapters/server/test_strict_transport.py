"""Only who came over TLS is told to come by nothing else."""

import pytest

from flow2api.adapters.server.strict_transport import strict_transport


@pytest.mark.parametrize(
    ("came_by", "days", "told"),
    [
        ("https://gw.example.org", 365, b"max-age=31536000"),
        ("https://gw.example.org:8443", 1, b"max-age=86400"),
        ("https://gw.example.org", 0, None),
        ("https://gw.example.org", -1, None),
        ("http://gw.example.org", 365, None),
        ("http://https.example.org", 365, None),
    ],
)
def test_header_is_said_over_tls_alone(came_by: str, days: int, told: bytes | None) -> None:
    assert dict(strict_transport(came_by, days)).get(b"strict-transport-security") == told
