"""Bodies as they may be kept: pictures as their size and digest, prompts as the operator wants them, secrets hidden, cut."""

import hashlib
import json
import re
from typing import Any, Literal

from flow2api.domain.data_url import decode_base64, decode_data_url, is_data_url
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.redaction import redact

PromptLogging = Literal["off", "hash", "full"]
"""What is kept of a prompt: its length only, its SHA-256 as well, or its text."""

LONGEST_BODY = 8 * 1024
"""Characters that are kept of a body."""

_PROMPT_NAMES = frozenset(
    {"prompt", "negativeprompt", "revisedprompt", "structuredprompt", "instructions", "input", "content", "text"}
    | {"displayname", "title"}  # upstream names what it makes after the prompt
)
_SHORTEST_BASE64 = 512
_BASE64 = re.compile(r"[A-Za-z0-9+/_=\s-]+")
_LONGEST_LIST = 64
_DEEPEST = 32


def abridged(body: Any, prompts: PromptLogging) -> str:
    """A body as JSON text of 8 KiB at most.

    A body of many megabytes takes tens of milliseconds: call it from a thread then.

    Args:
        body: What JSON knows, and ``bytes`` for files.
        prompts: What is kept of prompts.
    """
    return cut(json.dumps(redact(_abridged(body, prompts, "", 0)), ensure_ascii=False, default=str), LONGEST_BODY)


def prompt_as_kept(prompt: str, prompts: PromptLogging) -> str | None:
    """What is kept of a prompt; None when nothing is."""
    if prompts == "off":
        return None
    if prompts == "hash":
        return f"sha256:{_digest(prompt.encode('utf-8', 'surrogatepass'))}"
    return cut(str(redact(prompt)), LONGEST_BODY)


def cut(text: str, longest: int) -> str:
    """The text, or its beginning with a note of how much is missing."""
    if len(text) <= longest:
        return text
    note = f"... ({len(text):,} characters in all)"
    return text[: longest - len(note)] + note


def _abridged(value: Any, prompts: PromptLogging, name: str, depth: int) -> Any:
    if depth > _DEEPEST:
        return "..."
    if isinstance(value, dict):
        return {str(key): _abridged(item, prompts, str(key).lower(), depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        kept = [_abridged(item, prompts, name, depth + 1) for item in value[:_LONGEST_LIST]]
        return kept if len(value) <= _LONGEST_LIST else [*kept, f"... ({len(value):,} in all)"]
    if isinstance(value, bytes | bytearray):
        return _file(bytes(value))
    if isinstance(value, str):
        return _text(value, prompts, name)
    return value


def _text(text: str, prompts: PromptLogging, name: str) -> str:
    if is_data_url(text):
        return _picture(text)
    if len(text) >= _SHORTEST_BASE64 and _BASE64.fullmatch(text) and " " not in text[:_SHORTEST_BASE64]:
        return _picture(text)
    if name.replace("_", "") in _PROMPT_NAMES and prompts != "full":
        size = f"{len(text):,} characters"
        return f"<{size}>" if prompts == "off" else f"<{size}, {prompt_as_kept(text, prompts)}>"
    return cut(text, LONGEST_BODY)


def _picture(text: str) -> str:
    try:
        return _file(decode_data_url(text) if is_data_url(text) else decode_base64(text))
    except UnsupportedInputError:
        return f"<{len(text):,} characters, sha256:{_digest(text.encode('utf-8', 'surrogatepass'))}>"


def _file(data: bytes) -> str:
    return f"<{len(data):,} bytes, sha256:{_digest(data)}>"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
