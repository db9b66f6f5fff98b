"""Pictures over ``/images``: what comes out, in which form, and what is told about it."""

import base64
import json
from typing import Any

import pytest

from flow2api.domain.catalog import Mode
from flow2api.domain.errors import ContentBlockedError, PoolBusyError
from flow2api.domain.generation import Input, InputRole
from flow2api.testing.fakes.media import fake_picture
from tests.fakes.use_cases import FakeDoors
from tests.unit.adapters.openai_api.conftest import Client, OpenClient
from tests.unit.adapters.openai_api.modest_pool import PoolWithoutThePlan

ASK = {"model": "gemini-3.1-flash-image", "prompt": "a red fox"}


async def post(client: Client, path: str = "/v1/images/generations", **fields: Any) -> Any:
    return await client.post(path, json=ASK | fields)


class TestGenerations:
    async def test_answers_with_the_bytes_as_they_were_made(self, client: Client, fakes: FakeDoors) -> None:
        answer = await post(client)

        assert answer.status_code == 200
        document = answer.json()
        assert base64.b64decode(document["data"][0]["b64_json"]) == fakes.generate.picture + b"0"
        assert document["output_format"] == "jpeg"
        assert document["size"] == "1376x768"
        assert document["quality"] == "medium"
        assert document["background"] == "opaque"
        assert document["created"] == int(fakes.clock.now().timestamp())
        assert document["usage"] == {
            "input_tokens": 3,
            "output_tokens": 0,
            "total_tokens": 3,
            "input_tokens_details": {"text_tokens": 3, "image_tokens": 0},
            "output_tokens_details": {"text_tokens": 0, "image_tokens": 0},
        }
        assert "warnings" not in document

    async def test_content_length_is_that_of_the_body(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate.picture = fake_picture("image/png", 64, 64) + bytes(3_000_001)
        answer = await post(client)

        assert int(answer.headers["content-length"]) == len(answer.content)
        assert base64.b64decode(answer.json()["data"][0]["b64_json"]) == fakes.generate.picture + b"0"

    async def test_gives_links_only_where_they_are_asked_for(self, client: Client, fakes: FakeDoors) -> None:
        answer = await post(client, response_format="url")

        [entry] = answer.json()["data"]
        [media_id] = fakes.media.contents
        assert entry == {"url": f"http://testserver.local/media/{media_id}?exp=1&sig=good&for=3600"}

    async def test_gpt_image_names_answer_with_bytes_even_when_links_are_asked_for(self, client: Client) -> None:
        answer = await post(client, model="gpt-image-1", response_format="url")

        assert list(answer.json()["data"][0]) == ["b64_json"]
        assert any("response_format" in sentence for sentence in answer.json()["warnings"])

    async def test_links_are_given_without_a_model_too(self, client: Client) -> None:
        answer = await client.post("/v1/images/generations", json={"prompt": "a fox", "response_format": "url"})

        assert list(answer.json()["data"][0]) == ["url"]
        assert "warnings" not in answer.json()

    @pytest.mark.parametrize("fields", [{}, {"output_format": "png"}])
    async def test_compression_without_a_format_that_loses_something_is_told_as_ignored(
        self, client: Client, fakes: FakeDoors, fields: dict[str, str]
    ) -> None:
        answer = await post(client, output_compression=5, **fields)

        assert answer.json()["warnings"] == ["`output_compression` has no effect here and was ignored."]
        assert [quality for _, quality in fakes.pictures.converted] == [5 for _ in fields]

    async def test_converts_when_a_format_is_asked_for(self, client: Client, fakes: FakeDoors) -> None:
        answer = await post(client, output_format="webp", output_compression=40)

        document = answer.json()
        assert document["output_format"] == "webp"
        assert base64.b64decode(document["data"][0]["b64_json"]) == fake_picture("image/webp", 1376, 768)
        assert fakes.pictures.converted == [("image/webp", 40)]

    async def test_does_not_convert_what_is_in_the_format_already(self, client: Client, fakes: FakeDoors) -> None:
        await post(client, output_format="jpeg")
        assert fakes.pictures.converted == []

    async def test_link_leads_to_the_converted_picture(self, client: Client, fakes: FakeDoors) -> None:
        answer = await post(client, output_format="png", response_format="url")

        link = answer.json()["data"][0]["url"].partition("&for")[0].partition("local")[2]
        assert (await client.get(link)).headers["content-type"] == "image/png"

    async def test_several_pictures_keep_their_order(self, client: Client, fakes: FakeDoors) -> None:
        answer = await post(client, n=3)

        made = [base64.b64decode(entry["b64_json"])[-1:] for entry in answer.json()["data"]]
        assert made == [b"0", b"1", b"2"]

    async def test_gives_what_succeeded_and_says_what_did_not(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate.fails = {1: ContentBlockedError()}
        answer = await post(client, n=2)

        assert answer.status_code == 200
        assert len(answer.json()["data"]) == 1
        assert any("missing" in sentence for sentence in answer.json()["warnings"])

    async def test_answers_with_the_first_error_when_nothing_succeeded(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate.fails = {0: ContentBlockedError("VIOLENCE"), 1: PoolBusyError({"busy": 1})}
        answer = await post(client, n=2)

        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "moderation_blocked"

    async def test_a_model_is_chosen_when_none_is_named(self, client: Client, fakes: FakeDoors) -> None:
        answer = await client.post("/v1/images/generations", json={"prompt": "a fox", "model": None, "n": None})

        assert answer.status_code == 200
        assert fakes.generate.request.model == "gpt-image-1"

    async def test_takes_pictures_along(self, client: Client, fakes: FakeDoors) -> None:
        url = "data:image/png;base64," + base64.b64encode(fake_picture()).decode()
        answer = await post(client, image=[url, url])

        assert answer.status_code == 200
        assert len(fakes.generate.request.inputs) == 2

    @pytest.mark.parametrize(
        ("asked", "told"),
        [("auto", "medium"), ("hd", "high"), ("standard", "medium"), ("low", "low"), ("high", "high")],
    )
    async def test_quality_is_never_auto_in_answers(self, client: Client, asked: str, told: str) -> None:
        assert (await post(client, quality=asked)).json()["quality"] == told

    async def test_quality_that_the_pool_cannot_make_is_not_claimed(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate = PoolWithoutThePlan(fakes.media, fakes.clock)
        answer = await post(client, quality="high", wibble=1)

        document = answer.json()
        assert document["quality"] == "medium"
        assert len(document["warnings"]) == 2
        assert any("No account may make" in sentence for sentence in document["warnings"])
        assert "`wibble` has no effect here and was ignored." in document["warnings"]
        assert json.loads(answer.headers["x-flow2api-warnings"]) == document["warnings"]

    @pytest.mark.parametrize("name", ["extra_body", "extraBody"])
    async def test_unknown_fields_of_extra_body_are_told_by_their_path(self, client: Client, name: str) -> None:
        inner: dict[str, Any] = {
            "wibble": 1,
            "n": 2,
            "strict": True,
            "nothing": None,
            "user": "me",
            "imageConfig": {"imageSize": "1K"},
        }
        fields: dict[str, Any] = {name: {**inner, "aspect_ratio": "1:1"}}
        answer = await post(client, **fields)

        told = [f"`{name}.{field}` has no effect here and was ignored." for field in ("wibble", "n", "strict")]
        assert answer.json()["warnings"] == told

    async def test_strict_refuses_unknown_fields_of_extra_body(self, client: Client) -> None:
        answer = await post(client, extra_body={"wibble": 1}, strict=True)

        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "extra_body.wibble"

    async def test_ratio_is_told_as_it_was_asked_for(self, client: Client) -> None:
        [sentence] = (await post(client, aspect_ratio="21:9")).json()["warnings"]
        assert "the aspect ratio 21:9;" in sentence

    async def test_unknown_fields_are_told_as_ignored(self, client: Client, fakes: FakeDoors) -> None:
        answer = await post(client, style="vivid", wibble=1, user="me", background="transparent", partial_images=2)

        sentences = answer.json()["warnings"]
        for name in ("style", "wibble", "background", "partial_images"):
            assert any(f"`{name}`" in sentence for sentence in sentences), name
        assert not any("user" in sentence for sentence in sentences)
        assert json.loads(answer.headers["x-flow2api-warnings"]) == sentences

    async def test_strict_refuses_what_would_be_ignored(self, client: Client) -> None:
        answer = await post(client, style="vivid", strict=True)

        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "style"

    async def test_a_replay_says_so(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate.replayed = True
        answer = await client.post("/v1/images/generations", json=ASK, headers={"idempotency-key": "one"})

        assert answer.headers["idempotency-replayed"] == "true"


class TestStream:
    async def test_sends_an_event_for_each_picture_and_nothing_invented(self, client: Client, fakes: FakeDoors) -> None:
        answer = await post(client, stream=True, n=2, partial_images=1)

        assert answer.headers["content-type"] == "text/event-stream"
        events = [event.split("\n") for event in answer.text.strip().split("\n\n")]
        assert [event[0] for event in events] == ["event: image_generation.completed"] * 2
        data = json.loads(events[0][1].removeprefix("data: "))
        assert base64.b64decode(data["b64_json"]) == fakes.generate.picture + b"1"
        assert set(data) == {
            "type", "b64_json", "created_at", "size", "quality", "background", "output_format", "usage",
        }  # fmt: skip

    async def test_tells_its_place_in_the_line_as_comments(self, client: Client, fakes: FakeDoors) -> None:
        """No SDK knows an event for it, and each passes over comments; every further piece costs as much as a small answer."""
        fakes.generate.notes = (
            "waiting, position 2,\nabout 40 s",
            "waiting, position 2,\nabout 40 s",
            "",
            "submitting",
        )
        answer = await post(client, stream=True)

        events = answer.text.strip().split("\n\n")
        assert events[0] == ": waiting, position 2, about 40 s"
        assert [event.split("\n")[0] for event in events[1:]] == ["event: image_generation.completed"]

    async def test_a_failure_known_before_the_first_byte_is_a_plain_error(
        self, client: Client, fakes: FakeDoors
    ) -> None:
        fakes.generate.refuses = PoolBusyError({"busy": 2}, retry_after_s=7.2)
        answer = await post(client, stream=True)

        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "8"

    async def test_a_late_failure_is_an_error_event_at_the_end(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate.fails = {0: ContentBlockedError()}
        answer = await post(client, stream=True)

        assert answer.status_code == 200
        name, data = answer.text.strip().split("\n")
        assert name == "event: error"
        document = json.loads(data.removeprefix("data: "))
        assert document["type"] == "error"
        assert document["error"]["code"] == "moderation_blocked"
        assert fakes.generate.open == 0

    async def test_what_failed_is_told_after_what_succeeded(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate.fails = {1: ContentBlockedError()}
        answer = await post(client, stream=True, n=2)

        names = [event.split("\n")[0] for event in answer.text.strip().split("\n\n")]
        assert names == ["event: image_generation.completed", "event: error"]


class TestEdits:
    PATH = "/v1/images/edits"

    async def test_form_with_one_file(self, client: Client, fakes: FakeDoors) -> None:
        files = {"image": ("fox.png", fake_picture(), "image/png")}
        answer = await client.post(self.PATH, data={"prompt": "bluer", "n": "2", "stream": "false"}, files=files)

        assert answer.status_code == 200, answer.text
        assert len(answer.json()["data"]) == 2
        assert len(fakes.generate.request.inputs) == 1

    async def test_form_with_several_files(self, client: Client, fakes: FakeDoors) -> None:
        files = [("image[]", (f"{i}.png", fake_picture(salt=str(i)), "image/png")) for i in range(3)]
        answer = await client.post(self.PATH, data={"prompt": "bluer", "model": "gpt-image-1"}, files=files)

        assert answer.status_code == 200, answer.text
        given = [fakes.media.contents[one.media_id][1] for one in fakes.generate.request.inputs]
        assert given == [fake_picture(salt=str(i)) for i in range(3)]

    async def test_json_with_addresses_of_all_kinds(self, client: Client, fakes: FakeDoors) -> None:
        fakes.ingest.addresses["https://example.com/a.png"] = fake_picture(salt="a")
        own = fakes.media.keep(fake_picture(salt="own"))
        data = "data:image/png;base64," + base64.b64encode(fake_picture()).decode()
        links = ["https://example.com/a.png", data, f"http://testserver.local/media/{own.id}?exp=0&sig=old", own.id]
        answer = await client.post(
            self.PATH, json={"prompt": "bluer", "images": [{"image_url": link} for link in links]}
        )

        assert answer.status_code == 200, answer.text
        assert fakes.ingest.fetched == ["https://example.com/a.png"]
        assert [one.media_id for one in fakes.generate.request.inputs][2:] == [own.id, own.id]
        assert fakes.generate.request.spec.mode in (Mode.TEXT, Mode.REFERENCES)

    async def test_bare_base64_is_a_picture(self, client: Client) -> None:
        bare = base64.b64encode(fake_picture() + bytes(200)).decode()
        answer = await client.post(self.PATH, json={"prompt": "bluer", "image": bare})
        assert answer.status_code == 200, answer.text

    async def test_mask_is_told_as_ignored(self, client: Client) -> None:
        files = [
            ("image", ("a.png", fake_picture(), "image/png")),
            ("mask", ("m.png", fake_picture(), "image/png")),
        ]
        answer = await client.post(self.PATH, data={"prompt": "bluer"}, files=files)
        assert any("`mask`" in sentence for sentence in answer.json()["warnings"])

    async def test_needs_a_picture(self, client: Client) -> None:
        error = (await client.post(self.PATH, json={"prompt": "bluer"})).json()["error"]
        assert (error["code"], error["param"]) == ("missing_required_parameter", "image")

    async def test_file_ids_are_refused_by_name(self, client: Client) -> None:
        answer = await client.post(self.PATH, json={"prompt": "b", "images": [{"file_id": "file-1"}]})

        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "images[0].file_id"

    async def test_more_than_sixteen_pictures_are_refused(self, client: Client) -> None:
        files = [("image[]", (f"{i}.png", fake_picture(), "image/png")) for i in range(17)]
        answer = await client.post(self.PATH, data={"prompt": "bluer"}, files=files)

        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "image[16]"

    async def test_what_is_no_picture_is_refused_by_name(self, client: Client) -> None:
        files = {"image": ("fox.png", b"<html>", "image/png")}
        error = (await client.post(self.PATH, data={"prompt": "b"}, files=files)).json()["error"]
        assert (error["code"], error["param"]) == ("invalid_image_format", "image")

    async def test_streams_under_its_own_event_names(self, client: Client) -> None:
        files = {"image": ("fox.png", fake_picture(), "image/png")}
        answer = await client.post(self.PATH, data={"prompt": "b", "stream": "true"}, files=files)
        assert answer.text.startswith("event: image_edit.completed\n")


async def test_links_follow_the_configured_address(open_client: OpenClient) -> None:
    client = await open_client(public_url="https://pictures.example/")
    answer = await post(client, response_format="url")
    assert answer.json()["data"][0]["url"].startswith("https://pictures.example/media/media_")


class TestEnlarging:
    """A picture that was made before is made larger, at the door for edits."""

    PATH = "/v1/images/edits"

    async def test_takes_the_link_of_the_picture_and_needs_no_prompt(self, client: Client, fakes: FakeDoors) -> None:
        made = fakes.media.keep(fake_picture(), model="gemini-3.0-pro-image-portrait", prompt="a fox")
        asked = {"prompt": "", "model": "flow-upscale-image", "image": f"http://x.example/media/{made.id}?exp=1"}

        answer = await client.post(self.PATH, json=asked | {"resolution": "4k"})

        assert answer.status_code == 200, answer.text
        request = fakes.generate.request
        assert (request.spec.name, request.prompt) == ("flow-upscale-image-portrait-4k", "a fox")
        assert request.inputs == (Input(made.id, InputRole.SOURCE),)

    async def test_picture_of_somebody_elses_is_refused(self, client: Client) -> None:
        form = {"prompt": "", "model": "flow-upscale-image"}
        answer = await client.post(self.PATH, data=form, files={"image": ("x.png", fake_picture(), "image/png")})
        error = answer.json()["error"]
        assert (answer.status_code, error["param"], error["code"]) == (400, "image", "unsupported_source")

    async def test_no_picture_at_all_is_told(self, client: Client) -> None:
        answer = await client.post("/v1/images/generations", json={"prompt": "", "model": "flow-upscale-image"})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "image")

    async def test_every_other_model_still_needs_a_prompt(self, client: Client) -> None:
        answer = await client.post("/v1/images/generations", json={"prompt": ""})
        assert answer.json()["error"]["code"] == "invalid_prompt"
