"""Signatures as the Standard Webhooks specification has them: HMAC-SHA256 over id, moment and content."""

import base64
import binascii
import hmac
import secrets

from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.secret import Secret

PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64

_MADE_BYTES = 32


def new_secret() -> Secret:
    """A secret of chance."""
    return Secret(PREFIX + base64.b64encode(secrets.token_bytes(_MADE_BYTES)).decode())


def key_of(secret: Secret) -> bytes:
    """The bytes that a secret stands for.

    Raises:
        UnsupportedInputError: It has not the form, or stands for fewer than 24 bytes or more than 64.
    """
    text = secret.reveal()
    encoded = text.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(PREFIX) or not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise UnsupportedInputError(
            f"A signing secret is {PREFIX} and the base64 of {LEAST_BYTES} to {MOST_BYTES} random bytes; without one "
            "it is made for you.",
            param="secret",
        )
    return key


def signature(secret: Secret, message_id: str, timestamp: int, content: bytes) -> str:
    """What the header ``webhook-signature`` says.

    Raises:
        UnsupportedInputError: The secret cannot be used.
    """
    signed = b".".join((message_id.encode(), str(timestamp).encode(), content))
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, "sha256")).decode()
