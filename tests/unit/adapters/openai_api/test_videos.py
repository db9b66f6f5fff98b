"""Videos: begun, looked at, listed, fetched, built upon, deleted."""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from flow2api.domain.catalog import Mode
from flow2api.domain.errors import PoolBusyError
from flow2api.domain.generation import Fault, Input, InputRole, Phase, State
from flow2api.domain.media import MediaKind
from flow2api.domain.waiting_line import Turn
from flow2api.testing.fakes.clock import START
from flow2api.testing.fakes.media import fake_picture
from tests.fakes.use_cases import FAKE_VIDEO, OTHER_KEY, FakeDoors
from tests.unit.adapters.openai_api.conftest import Client

DATA_URL = "data:image/png;base64," + base64.b64encode(fake_picture("image/png", 128, 72)).decode()
KEYS = {
    "id", "object", "model", "status", "progress", "created_at", "completed_at", "expires_at", "prompt", "size",
    "seconds", "remixed_from_video_id", "error",
}  # fmt: skip


class TestCreation:
    async def test_form_without_a_file_as_the_sdk_sends_it(self, client: Client, fakes: FakeDoors) -> None:
        form = {"prompt": "waves", "model": "sora-2", "seconds": "4", "size": "1280x720"}
        answer = await client.post("/v1/videos", files={name: (None, value) for name, value in form.items()})

        assert answer.status_code == 200, answer.text
        document = answer.json()
        assert set(document) >= KEYS
        assert document["status"] == "queued"
        assert document["seconds"] == "4"
        assert document["size"] == "1280x720"
        assert document["model"] == "sora-2"
        assert document["error"] is None
        assert document["url"] is None
        assert fakes.generate.open == 0

    async def test_json_as_plain_http_users_send_it(self, client: Client, fakes: FakeDoors) -> None:
        answer = await client.post("/v1/videos", json={"prompt": "waves", "seconds": "8", "size": "720x1280"})

        assert answer.status_code == 200, answer.text
        assert answer.json()["size"] == "720x1280"
        assert fakes.generate.request.model == "sora-2"
        assert fakes.generate.request.spec.aspect_ratio.value < 1

    async def test_what_was_rounded_is_told(self, client: Client) -> None:
        document = (await client.post("/v1/videos", json={"prompt": "waves", "seconds": "12"})).json()
        assert document["seconds"] == "8"
        assert document["warnings"]

    async def test_strict_refuses_to_round(self, client: Client) -> None:
        answer = await client.post("/v1/videos", json={"prompt": "waves", "seconds": "12", "strict": True})
        assert answer.status_code == 400

    @pytest.mark.parametrize(
        "reference",
        [
            {"input_reference": DATA_URL},
            {"input_reference": {"image_url": DATA_URL}},
            {"input_reference": {"image_url": {"url": DATA_URL}}},
            {"input_reference": [DATA_URL]},
            {"image": DATA_URL},
            {"images": [{"image_url": DATA_URL}]},
        ],
    )
    async def test_first_frame_in_json(self, client: Client, fakes: FakeDoors, reference: dict[str, Any]) -> None:
        answer = await client.post("/v1/videos", json={"prompt": "waves", **reference})

        assert answer.status_code == 200, answer.text
        assert [one.role for one in fakes.generate.request.inputs] == [InputRole.START]
        assert fakes.generate.request.spec.mode is Mode.FRAMES

    @pytest.mark.parametrize("name", ["input_reference", "input_reference[]", "input_reference[0]", "image", "image[]"])
    async def test_first_frame_as_a_file(self, client: Client, fakes: FakeDoors, name: str) -> None:
        files = {name: ("frame.png", fake_picture(), "image/png")}
        answer = await client.post("/v1/videos", data={"prompt": "waves"}, files=files)

        assert answer.status_code == 200, answer.text
        assert len(fakes.generate.request.inputs) == 1

    async def test_object_as_bracketed_form_fields(self, client: Client, fakes: FakeDoors) -> None:
        form = {"prompt": "waves", "input_reference[image_url]": DATA_URL}
        answer = await client.post("/v1/videos", files={name: (None, value) for name, value in form.items()})

        assert answer.status_code == 200, answer.text
        assert len(fakes.generate.request.inputs) == 1

    async def test_two_references_are_first_and_last_frame(self, client: Client, fakes: FakeDoors) -> None:
        files = [("input_reference[]", (f"{i}.png", fake_picture(), "image/png")) for i in range(2)]
        await client.post("/v1/videos", data={"prompt": "waves"}, files=files)
        assert [one.role for one in fakes.generate.request.inputs] == [InputRole.START, InputRole.END]

    async def test_address_as_lobechat_sends_it(self, client: Client, fakes: FakeDoors) -> None:
        fakes.ingest.addresses["https://example.com/a.png"] = fake_picture()
        answer = await client.post("/v1/videos", json={"prompt": "w", "input_reference": "https://example.com/a.png"})
        assert answer.status_code == 200, answer.text

    @pytest.mark.parametrize(
        ("fields", "param"),
        [
            ({"input_reference": {"file_id": "file-1"}}, "input_reference.file_id"),
            ({"input_reference": {"mime": "x"}}, "input_reference"),
            ({"input_reference": 5}, "input_reference"),
            ({"seconds": "61"}, "seconds"),
            ({"seconds": "0"}, "seconds"),
            ({"seconds": "long"}, "seconds"),
            ({"size": "10x10"}, "size"),
            ({"size": "big"}, "size"),
            ({"size": 5}, "size"),
            ({"model": "gpt-image-1"}, "model"),
            ({"model": 7}, "model"),
            ({"prompt": ""}, "prompt"),
            ({"prompt": None}, "prompt"),
            ({"prompt": "x" * 32_001}, "prompt"),
        ],
    )
    async def test_bad_fields_are_refused_by_name(
        self, client: Client, fakes: FakeDoors, fields: dict[str, Any], param: str
    ) -> None:
        answer = await client.post("/v1/videos", json={"prompt": "waves", "model": "sora-2"} | fields)

        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["param"] == param
        assert fakes.generate.asked == []

    async def test_more_than_one_is_told_as_ignored(self, client: Client, fakes: FakeDoors) -> None:
        document = (await client.post("/v1/videos", json={"prompt": "waves", "n": 3})).json()
        assert fakes.generate.request.count == 1
        assert any("`n`" in sentence for sentence in document["warnings"])

    async def test_a_busy_pool_is_told_at_once(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generate.refuses = PoolBusyError({"busy": 2})
        assert (await client.post("/v1/videos", json={"prompt": "waves"})).status_code == 429


class TestLookingAtOne:
    async def test_running(self, client: Client, fakes: FakeDoors) -> None:
        planted = fakes.generations.plant(progress=40)
        fakes.generations.rows["video_1"] = planted.entering(Phase.POLLING, START)
        answer = await client.get("/v1/videos/video_1")

        document = answer.json()
        assert set(document) >= KEYS
        assert document["status"] == "in_progress"
        assert document["progress"] == 40
        assert document["completed_at"] is None
        assert document["error"] is None
        assert answer.headers["openai-poll-after-ms"] == "6000"

    async def test_completed(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant_completed()
        answer = await client.get("/v1/videos/video_1")

        document = answer.json()
        assert document["status"] == "completed"
        assert document["progress"] == 100
        assert document["completed_at"] == int(START.timestamp())
        assert document["expires_at"] == int((START + timedelta(days=7)).timestamp())
        assert document["url"].startswith("http://testserver.local/media/media_")
        assert document["metadata"] == {"url": document["url"]}
        assert "openai-poll-after-ms" not in answer.headers

    @pytest.mark.parametrize(
        ("end", "code"),
        [
            (lambda row: row.failed(Fault("moderation_blocked", "Refused."), START), "moderation_blocked"),
            (lambda row: row.cancelled(START), "cancelled"),
            (lambda row: replace(row, state=State.FAILED), "generation_failed"),
        ],
    )
    async def test_failed_is_a_good_answer_about_a_bad_end(
        self, client: Client, fakes: FakeDoors, end: Any, code: str
    ) -> None:
        fakes.generations.rows["video_1"] = end(fakes.generations.plant())
        answer = await client.get("/v1/videos/video_1")

        assert answer.status_code == 200
        assert answer.json()["status"] == "failed"
        assert answer.json()["error"]["code"] == code
        assert answer.json()["error"]["message"]

    async def test_another_keys_does_not_exist(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant_completed()
        client.headers["authorization"] = f"Bearer {OTHER_KEY}"
        for method, path in [
            ("GET", ""),
            ("GET", "/content"),
            ("HEAD", "/content"),
            ("DELETE", ""),
            ("POST", "/remix"),
        ]:
            answer = await client.request(
                method, f"/v1/videos/video_1{path}", json={"prompt": "x"} if method == "POST" else None
            )
            assert answer.status_code == 404, (method, path)
        assert "video_1" in fakes.generations.rows

    async def test_a_picture_is_no_video(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant("gen_1", kind=MediaKind.IMAGE)
        for path in ("/v1/videos/gen_1", "/v1/videos/gen_1/content"):
            assert (await client.get(path)).status_code == 404
        assert (await client.delete("/v1/videos/gen_1")).status_code == 404

    async def test_unknown(self, client: Client) -> None:
        answer = await client.get("/v1/videos/video_x")
        assert answer.status_code == 404
        assert answer.json()["error"]["param"] == "video_id"

    async def test_head(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant_completed()
        answer = await client.head("/v1/videos/video_1")
        assert answer.status_code == 200
        assert answer.content == b""


class TestList:
    @pytest.fixture(autouse=True)
    def videos(self, fakes: FakeDoors) -> None:
        for number in range(1, 6):
            fakes.generations.plant(f"video_{number}")
        fakes.generations.plant("video_foreign", key_id=2)

    async def test_newest_first_until_there_are_no_more(self, client: Client) -> None:
        seen, after = [], ""
        while True:
            document = (await client.get(f"/v1/videos?limit=2&after={after}")).json()
            seen += [entry["id"] for entry in document["data"]]
            assert document["first_id"] == document["data"][0]["id"]
            assert document["last_id"] == document["data"][-1]["id"]
            if not document["has_more"]:
                break
            after = document["last_id"]
        assert seen == [f"video_{number}" for number in (5, 4, 3, 2, 1)]

    async def test_oldest_first(self, client: Client) -> None:
        document = (await client.get("/v1/videos?order=asc")).json()
        assert document["data"][0]["id"] == "video_1"
        assert document["has_more"] is False

    async def test_none_asked_for(self, client: Client) -> None:
        document = (await client.get("/v1/videos?limit=0")).json()
        assert document == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": True}

    @pytest.mark.parametrize(
        ("query", "param"),
        [
            ("limit=101", "limit"),
            ("limit=-1", "limit"),
            ("limit=x", "limit"),
            ("limit=", "limit"),
            ("order=up", "order"),
        ],
    )
    async def test_bad_queries(self, client: Client, query: str, param: str) -> None:
        answer = await client.get(f"/v1/videos?{query}")
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == param


class TestContent:
    async def test_bytes_with_ranges(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant_completed()
        whole = await client.get("/v1/videos/video_1/content", headers={"accept": "application/binary"})
        part = await client.get("/v1/videos/video_1/content?variant=video", headers={"range": "bytes=-16"})
        head = await client.head("/v1/videos/video_1/content")

        assert (whole.status_code, whole.content) == (200, FAKE_VIDEO)
        assert whole.headers["content-type"] == "video/mp4"
        assert (part.status_code, part.content) == (206, FAKE_VIDEO[-16:])
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(FAKE_VIDEO)))

    @pytest.mark.parametrize("variant", ["thumbnail", "spritesheet"])
    async def test_stills(self, client: Client, fakes: FakeDoors, variant: str) -> None:
        fakes.generations.plant_completed()
        answer = await client.get(f"/v1/videos/video_1/content?variant={variant}")
        assert answer.headers["content-type"] == "image/webp"

    async def test_not_before_it_is_ready(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant()
        answer = await client.get("/v1/videos/video_1/content")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "not_ready"

    async def test_unknown_variant(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant_completed()
        answer = await client.get("/v1/videos/video_1/content?variant=gif")
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "variant"


async def test_deletion(client: Client, fakes: FakeDoors) -> None:
    fakes.generations.plant_completed()
    answer = await client.delete("/v1/videos/video_1")

    assert answer.status_code == 200
    assert answer.json() == {"id": "video_1", "object": "video.deleted", "deleted": True}
    assert (await client.get("/v1/videos/video_1")).status_code == 404


class TestFollowUps:
    async def test_remix_keeps_model_shape_and_pictures(self, client: Client, fakes: FakeDoors) -> None:
        frame = fakes.media.keep(fake_picture())
        fakes.generations.plant_completed(size="720x1280", seconds=4, inputs=(Input(frame.id, InputRole.START),))
        document = (await client.post("/v1/videos/video_1/remix", json={"prompt": "more waves"})).json()

        request = fakes.generate.request
        assert document["remixed_from_video_id"] == "video_1"
        assert (document["model"], document["size"], document["seconds"]) == ("sora-2", "720x1280", "4")
        assert request.prompt == "more waves"
        assert [one.media_id for one in request.inputs] == [frame.id]

    async def test_remix_may_change_the_shape(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant_completed(size="720x1280")
        answer = await client.post("/v1/videos/video_1/remix", json={"prompt": "x", "size": "1280x720"})
        assert answer.json()["size"] == "1280x720"

    @pytest.mark.parametrize(
        ("asked", "size", "seconds"),
        [
            ({"seconds": "6"}, "720x1280", 6),
            ({"extra_body": {"duration": 6}}, "720x1280", 6),
            ({"size": "1280x720"}, "1280x720", 4),
            ({"aspect_ratio": "16:9"}, "1280x720", 4),
            ({"generationConfig": {"aspectRatio": "16:9"}}, "1280x720", 4),
            ({"resolution": "1080p", "duration": 8}, "1080x1920", 8),
            ({"seed": 7, "extra_body": {}}, "720x1280", 4),
        ],
    )
    async def test_remix_inherits_what_the_request_leaves_open(
        self, client: Client, fakes: FakeDoors, asked: dict[str, Any], size: str, seconds: int
    ) -> None:
        fakes.generations.plant_completed(spec_name="veo_3_1_t2v_fast_portrait", size="720x1280", seconds=4)
        answer = await client.post("/v1/videos/video_1/remix", json={"prompt": "x", **asked})

        assert answer.status_code == 200, answer.text
        request = fakes.generate.request
        assert (request.size, request.seconds, str(request.spec.size)) == (size, seconds, size)
        assert request.warnings == ()

    async def test_only_a_completed_one_can_be_built_on(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant()
        for path, body in [
            ("/v1/videos/video_1/remix", {"prompt": "x"}),
            ("/v1/videos/edits", {"prompt": "x", "video": {"id": "video_1"}}),
            ("/v1/videos/extensions", {"prompt": "x", "video": {"id": "video_1"}}),
        ]:
            answer = await client.post(path, json=body)
            assert answer.status_code == 400, path
            error = answer.json()["error"]
            assert error["param"] == "video.id"
            assert error["message"] == "The video is not finished yet; ask again when its status is completed."

    async def test_edit_in_a_form(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant_completed()
        form = {"prompt": "bluer", "video[id]": "video_1"}
        answer = await client.post("/v1/videos/edits", files={name: (None, value) for name, value in form.items()})
        assert answer.status_code == 200, answer.text
        assert answer.json()["remixed_from_video_id"] == "video_1"

    async def test_extension_takes_the_video_itself(self, client: Client, fakes: FakeDoors) -> None:
        parent = fakes.generations.plant_completed()
        body = {"prompt": "and then", "seconds": "8", "video": {"id": "video_1"}}
        answer = await client.post("/v1/videos/extensions", json=body)

        assert answer.status_code == 200, answer.text
        request = fakes.generate.request
        assert (request.spec.mode, request.size) == (Mode.EXTEND, parent.size)
        assert [(one.media_id, one.role) for one in request.inputs] == [(parent.results[0], InputRole.SOURCE)]

    @pytest.mark.parametrize(("length", "total"), [(4, "11"), (8, "15"), (15, "22")])
    async def test_extension_is_as_long_as_both_together(
        self, client: Client, fakes: FakeDoors, length: int, total: str
    ) -> None:
        fakes.generations.plant_completed(seconds=length)
        answer = await client.post("/v1/videos/extensions", json={"prompt": "x", "video": {"id": "video_1"}})
        assert answer.json()["seconds"] == total
        assert fakes.generate.request.warnings == ()

    @pytest.mark.parametrize("model", ["sora-2", "veo_3_1_extend"])
    async def test_remix_of_an_extension_extends_the_same_video(
        self, client: Client, fakes: FakeDoors, model: str
    ) -> None:
        source = Input(fakes.generations.plant_completed("video_0").results[0], InputRole.SOURCE)
        fakes.generations.plant_completed(model=model, spec_name="veo_3_1_extend", seconds=11, inputs=(source,))
        answer = await client.post("/v1/videos/video_1/remix", json={"prompt": "otherwise"})

        assert answer.status_code == 200, answer.text
        assert answer.json()["seconds"] == "11"
        request = fakes.generate.request
        assert (request.spec.name, request.inputs, request.warnings) == ("veo_3_1_extend", (source,), ())

    async def test_remix_of_an_extension_by_another_model_begins_anew(self, client: Client, fakes: FakeDoors) -> None:
        source = Input(fakes.generations.plant_completed("video_0").results[0], InputRole.SOURCE)
        fakes.generations.plant_completed(spec_name="veo_3_1_extend", seconds=11, inputs=(source,))
        body = {"prompt": "otherwise", "model": "veo_3_1_t2v_fast"}
        answer = await client.post("/v1/videos/video_1/remix", json=body)

        assert (answer.status_code, answer.json()["seconds"]) == (200, "8"), answer.text
        assert fakes.generate.request.inputs == ()

    async def test_extension_finds_a_model_when_the_parents_cannot(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant_completed(model="veo_3_1_t2v_fast", size="1280x720")
        answer = await client.post("/v1/videos/extensions", json={"prompt": "x", "video": {"id": "video_1"}})
        assert answer.status_code == 200, answer.text
        assert fakes.generate.request.spec.mode is Mode.EXTEND

    async def test_uploaded_videos_are_refused_by_name(self, client: Client) -> None:
        files = {"video": ("x.mp4", FAKE_VIDEO, "video/mp4")}
        answer = await client.post("/v1/videos/edits", data={"prompt": "x"}, files=files)
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert (error["param"], error["code"]) == ("video", "unsupported_video")
        assert '`video` as {"id": ...}' in error["message"]

    async def test_the_video_must_be_named(self, client: Client) -> None:
        answer = await client.post("/v1/videos/extensions", json={"prompt": "x"})
        assert answer.json()["error"]["param"] == "video"


class TestEnlarging:
    """A video that was made before is made larger, at the door for edits."""

    ASKED: ClassVar = {"prompt": "", "model": "flow-upscale-video", "video": {"id": "video_1"}}

    async def test_takes_the_video_itself_and_needs_no_prompt(self, client: Client, fakes: FakeDoors) -> None:
        parent = fakes.generations.plant_completed(seconds=6)
        answer = await client.post("/v1/videos/edits", json=self.ASKED)

        assert answer.status_code == 200, answer.text
        document = answer.json()
        assert (document["seconds"], document["prompt"]) == ("6", "waves")
        assert (document["model"], document["remixed_from_video_id"]) == ("flow-upscale-video", "video_1")
        request = fakes.generate.request
        assert (request.spec.name, request.size) == ("flow-upscale-video-landscape-1080p", "1920x1080")
        assert request.inputs == (Input(parent.results[0], InputRole.SOURCE),)
        assert request.warnings == ()

    @pytest.mark.parametrize("more", [{"resolution": "4k"}, {"size": "3840x2160"}])
    async def test_resolution_says_how_large(self, client: Client, fakes: FakeDoors, more: dict[str, str]) -> None:
        fakes.generations.plant_completed()
        answer = await client.post("/v1/videos/video_1/remix", json=self.ASKED | more)
        assert answer.status_code == 200, answer.text
        assert fakes.generate.request.spec.resolution == "4k"

    async def test_what_was_put_together_is_refused(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant_completed(spec_name="veo_3_1_extend")
        answer = await client.post("/v1/videos/edits", json=self.ASKED)
        error = answer.json()["error"]
        assert (answer.status_code, error["param"], error["code"]) == (400, "video", "unsupported_source")

    async def test_one_that_is_not_made_yet_is_refused(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant()
        answer = await client.post("/v1/videos/edits", json=self.ASKED)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "video.id")

    async def test_every_other_model_still_needs_a_prompt(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant_completed()
        answer = await client.post("/v1/videos/edits", json=self.ASKED | {"model": "sora-2"})
        assert answer.json()["error"]["code"] == "invalid_prompt"

    async def test_remix_of_an_enlarged_one_is_one_of_what_was_enlarged(self, client: Client, fakes: FakeDoors) -> None:
        fakes.generations.plant_completed()
        larger = "flow-upscale-video-landscape-1080p"
        fakes.generations.plant_completed("video_2", model="m", spec_name=larger, parent_id="video_1", size="1920x1080")
        answer = await client.post("/v1/videos/video_2/remix", json={"prompt": "at night"})

        assert answer.status_code == 200, answer.text
        assert (answer.json()["remixed_from_video_id"], answer.json()["size"]) == ("video_2", "1280x720")
        assert fakes.generate.request.spec.name == "veo_3_1_t2v_fast_landscape"
        await client.delete("/v1/videos/video_1")
        answer = await client.post("/v1/videos/video_2/remix", json={"prompt": "at night"})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "video.id")


class TestWaiting:
    async def test_video_that_waits_tells_its_place_and_when_it_may_start(
        self, client: Client, fakes: FakeDoors
    ) -> None:
        fakes.generations.plant()
        fakes.generations.turns["video_1"] = Turn(7, 20.2)
        answer = await client.get("/v1/videos/video_1")
        document = answer.json()
        assert (document["status"], document["queue_position"], document["estimated_start_s"]) == ("queued", 7, 21)
        assert answer.headers["openai-poll-after-ms"] == "20200"
        del fakes.generations.turns["video_1"]
        document = (await client.get("/v1/videos/video_1")).json()
        assert (document["queue_position"], document["estimated_start_s"]) == (None, None)
