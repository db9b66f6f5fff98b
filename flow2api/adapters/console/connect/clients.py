"""Ready settings of clients, filled in for this server."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flow2api.adapters.console.language import gettext


@dataclass(frozen=True, slots=True)
class ClientCard:
    """One client.

    Attributes:
        id: A word for elements of the page.
        mark: Two letters in place of a logo.
        does: What it can do with this server.
        lines: Names of its own settings, and their values.
        copied: What the button copies; empty for no button.
        copy_words: What the button says.
        link: Opens the client with everything filled in; empty where it has no such link, or no key is known.
    """

    id: str
    name: str
    mark: str
    does: str
    lines: tuple[tuple[str, str], ...]
    copied: str
    copy_words: str
    link: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the settings are made of.

    Attributes:
        root: Scheme and host.
        key: The key where it was just made, else how it begins, else a word for it.
        is_whole_key: Whether it is the key itself.
    """

    root: str
    key: str
    is_whole_key: bool
    image_model: str
    video_model: str

    @property
    def base_url(self) -> str:
        """Of the API."""
        return f"{self.root}/v1"


def client_cards(access: Access) -> tuple[ClientCard, ...]:
    """All of them, in the order in which they are shown."""
    return (_open_webui(access), _cherry_studio(access), _lobe_chat(access), _n8n(access), _programs(access))


def _open_webui(access: Access) -> ClientCard:
    lines = (
        ("ENABLE_IMAGE_GENERATION", "true"),
        ("IMAGE_GENERATION_ENGINE", "openai"),
        ("IMAGES_OPENAI_API_BASE_URL", access.base_url),
        ("IMAGES_OPENAI_API_KEY", access.key),
        ("IMAGE_GENERATION_MODEL", access.image_model),
        ("OPENAI_API_BASE_URL", access.base_url),
        ("OPENAI_API_KEY", access.key),
    )
    return ClientCard(
        "open-webui",
        "Open WebUI",
        "OW",
        gettext("chat, pictures, edits"),
        lines,
        _environment(lines),
        gettext("Copy environment"),
        note=gettext("The same fields are under Settings, Images. Videos come as a link in chat."),
    )


def _cherry_studio(access: Access) -> ClientCard:
    lines = (
        (gettext("Provider type"), "New API"),
        (gettext("API host"), access.root),
        (gettext("API key"), access.key),
        (gettext("Models"), gettext("fetched from /v1/models")),
    )
    filled = {"id": "new-api", "name": "flow2api", "type": "new-api", "baseUrl": access.root, "apiKey": access.key}
    data = base64.urlsafe_b64encode(json.dumps(filled).encode()).decode()
    query = urlencode({"v": 1, "data": data})
    return ClientCard(
        "cherry-studio",
        "Cherry Studio",
        "CS",
        gettext("chat, painting"),
        lines,
        _plain(lines),
        gettext("Copy settings"),
        link=f"cherrystudio://providers/api-keys?{query}" if access.is_whole_key else "",
        note=""
        if access.is_whole_key
        else gettext("Make a key on this page to open Cherry Studio with everything filled in."),
    )


def _lobe_chat(access: Access) -> ClientCard:
    lines = (
        (gettext("Provider"), "OpenAI"),
        ("OPENAI_PROXY_URL", access.base_url),
        ("OPENAI_API_KEY", access.key),
        (gettext("Picture model"), access.image_model),
        (gettext("Video model"), access.video_model),
    )
    return ClientCard(
        "lobe-chat",
        "LobeChat",
        "LC",
        gettext("chat, pictures, videos"),
        lines,
        _environment(lines[1:3]),
        gettext("Copy environment"),
        note=gettext("Add the two models to the provider's list of models."),
    )


def _n8n(access: Access) -> ClientCard:
    credential = {"name": "flow2api", "type": "openAiApi", "data": {"apiKey": access.key, "url": access.base_url}}
    lines = (
        (gettext("Credential"), "OpenAI"),
        (gettext("Base URL"), access.base_url),
        (gettext("API key"), access.key),
        (gettext("Wait time of videos"), gettext("600 s")),
    )
    return ClientCard(
        "n8n",
        "n8n",
        "n8",
        gettext("pictures, edits, videos"),
        lines,
        json.dumps(credential, indent=2),
        gettext("Copy credential JSON"),
        note=gettext("The video node asks for sora-2; that name leads to a model of this server."),
    )


def _programs(access: Access) -> ClientCard:
    lines = (("OPENAI_BASE_URL", access.base_url), ("OPENAI_API_KEY", access.key))
    return ClientCard(
        "programs",
        gettext("curl, Python, JavaScript"),
        ">_",
        gettext("everything"),
        lines,
        _environment(lines),
        gettext("Copy .env"),
        note=gettext("Examples stand below, and in the playground for every request that you try."),
    )


def _environment(lines: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{name}={value}" for name, value in lines)


def _plain(lines: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in lines)
