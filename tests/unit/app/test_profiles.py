"""Answers are written by the profile of the key, else of the option, and never fail for it."""

from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from flow2api.adapters.openai_api.chat_schemas import Message
from flow2api.adapters.openai_api.conversation import read_conversation
from flow2api.app.profiles import Profiles
from flow2api.domain.media import MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.responses import ShownResult
from flow2api.hookspecs import ResponseProfile
from flow2api.plugins.response_profiles import register_response_profiles

PICTURE = ShownResult(MediaKind.IMAGE, "https://gw/media/media_1?s=1", "image/png", "media_1")
VIDEO = ShownResult(MediaKind.VIDEO, "https://gw/media/media_2?s=2", "video/mp4", "media_2")
BUILT_IN = {one.name: one for one in register_response_profiles()}


class Broken:
    def chat_text(self, results: Sequence[ShownResult]) -> Any:
        raise ZeroDivisionError


class Silent:
    def chat_text(self, results: Sequence[ShownResult]) -> Any:
        return None


def profiles(option: str = "standard", **more: Any) -> Profiles:
    named = BUILT_IN | {name: ResponseProfile(name, make) for name, make in more.items()}
    return Profiles(named, lambda: Options(response_profile=option))


@pytest.mark.parametrize(
    ("profile", "text"),
    [
        ("standard", f'{VIDEO.url}\n\n<video controls src="{VIDEO.url}"></video>'),
        ("video_link", f"[video]({VIDEO.url})"),
        ("video_tag", f'<video controls src="{VIDEO.url}"></video>'),
        ("video_fence", f'```html\n<video controls src="{VIDEO.url}"></video>\n```'),
        ("links", VIDEO.url),
    ],
)
def test_video_is_shown_as_the_profile_says(profile: str, text: str) -> None:
    assert profiles().chat_text(profile, [VIDEO]) == text


def test_pictures_are_markdown_but_for_those_who_want_links() -> None:
    assert profiles().chat_text(None, [PICTURE, PICTURE]) == f"![image]({PICTURE.url})\n\n![image]({PICTURE.url})"
    assert profiles().chat_text("links", [PICTURE, VIDEO]) == f"{PICTURE.url}\n{VIDEO.url}"


@pytest.mark.parametrize("profile", BUILT_IN)
def test_what_a_client_sends_back_is_found_again(profile: str) -> None:
    said = profiles().chat_text(profile, [VIDEO])

    asked = read_conversation(
        [
            Message(role="user", content="a boat"),
            Message(role="assistant", content=said),
            Message(role="user", content="on"),
        ]
    )

    assert VIDEO.url in asked.earlier


def test_option_is_for_keys_without_a_profile_and_for_those_whose_profile_has_gone() -> None:
    assert profiles("links").chat_text(None, [VIDEO]) == VIDEO.url
    assert profiles("links").chat_text("gone", [VIDEO]) == VIDEO.url


@pytest.mark.parametrize(("name", "make"), [("broken", Broken), ("silent", Silent), ("unmade", lambda: 1 / 0)])
def test_profile_that_fails_is_told_once_and_the_standard_one_is_used(name: str, make: Any) -> None:
    written = profiles(**{name: make})

    with capture_logs() as logs:
        texts = {written.chat_text(name, [VIDEO]) for _ in range(3)}

    assert texts == {profiles().chat_text("standard", [VIDEO])}
    assert [one["profile"] for one in logs] == [name]
