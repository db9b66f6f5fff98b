"""The built-in ways to write chat messages."""

import pytest

from flow2api.domain.ports.responses import ResponseShaper
from flow2api.plugins.response_profiles import register_response_profiles
from flow2api.testing.contracts import ResponseShaperContract
from flow2api.testing.contracts.response_shaper import shown

PROFILES = {profile.name: profile for profile in register_response_profiles()}


class TestEveryProfile(ResponseShaperContract):
    @pytest.fixture(params=PROFILES)
    def shaper(self, request: pytest.FixtureRequest) -> ResponseShaper:
        return PROFILES[request.param].build()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("standard", '![image](P)\n\nV\n\n<video controls src="V"></video>'),
        ("video_link", "![image](P)\n\n[video](V)"),
        ("video_tag", '![image](P)\n\n<video controls src="V"></video>'),
        ("video_fence", '![image](P)\n\n```html\n<video controls src="V"></video>\n```'),
        ("links", "P\nV"),
    ],
)
def test_each_profile_writes_in_its_own_way(name: str, text: str) -> None:
    picture, video = shown(2)

    written = PROFILES[name].build().chat_text([picture, video])

    assert written.replace(picture.url, "P").replace(video.url, "V") == text


def test_every_profile_tells_operators_what_it_does() -> None:
    assert all(profile.summary for profile in PROFILES.values())
