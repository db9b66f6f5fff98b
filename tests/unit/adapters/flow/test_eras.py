"""The bodies that go out and the answers that come in, era by era."""

import base64
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.flow import era_2026_06, era_seed
from flow2api.adapters.flow.eras import ERAS
from flow2api.adapters.flow.lineage import Lineage
from flow2api.adapters.flow.model_wire import read_wire
from flow2api.adapters.flow.payloads import Post, Stamp
from flow2api.adapters.flow.responses import PolledItem
from flow2api.domain.account import Tier
from flow2api.domain.catalog import AspectRatio, Mode, ModelSpec, Size
from flow2api.domain.errors import ContentBlockedError, UpstreamInvalidError, UpstreamRejectedError
from flow2api.domain.generation import InputRole, Order, Product, Stage
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.upstream import UploadedPicture

STAMP = Stamp(workspace="p1", tier=Tier.PRO, session_id=";1700", batch_id="b1", scene_id="s1", seeds=(41, 42))
RECAPTCHA = {"token": "", "applicationType": "RECAPTCHA_APPLICATION_TYPE_WEB"}
CONTEXT = {"recaptchaContext": RECAPTCHA, "sessionId": ";1700", "projectId": "p1", "tool": "PINHOLE"}
PAID_CONTEXT = CONTEXT | {"userPaygateTier": "PAYGATE_TIER_ONE"}
SEED_CONTEXT = {"sessionId": ";1700", "projectId": "p1", "tool": "PINHOLE", "userPaygateTier": "PAYGATE_TIER_ONE"}
UPLOADED = UploadedPicture(b"\xff\xd8\xff", "image/png", 1088, 1968)


def order(mode: str = "t2i", *inputs: tuple[InputRole, str], **fields: Any) -> Order:
    wire = {
        "keys": {"seed": "SEED_KEY", "2026-06": "KEY"},
        "aspect": "RATIO",
        "mode": mode,
        "v2_model_config": True,
        "enlarge": {"target": "TARGET", "key": "LARGE_KEY"},
    }
    ratio, size = AspectRatio(16, 9), Size(16, 9)
    spec = ModelSpec(
        name="m",
        upstream="flow",
        kind=MediaKind.IMAGE,
        mode=Mode.TEXT,
        line="",
        aspect_ratio=ratio,
        size=size,
        wire=wire,
    )
    return Order(spec=spec, prompt="a red mug", inputs=inputs, **fields)


def body_of(post: Post) -> Any:
    return msgspec.json.decode(post.body)


def video(era: Any, given: Order) -> tuple[str, Any]:
    post = era.video(given, read_wire(given.spec), STAMP)
    return post.path, body_of(post)


def test_seed_upload() -> None:
    post = era_seed.upload(UPLOADED, STAMP)

    assert post.path == ":uploadUserImage"
    assert body_of(post) == {
        "imageInput": {
            "rawImageBytes": base64.b64encode(UPLOADED.data).decode(),
            "mimeType": "image/jpeg",
            "isUserUploaded": True,
            "aspectRatio": "IMAGE_ASPECT_RATIO_PORTRAIT",
        },
        "clientContext": {"sessionId": ";1700", "tool": "ASSET_MANAGER"},
    }


def test_later_upload() -> None:
    post = era_2026_06.upload(UPLOADED, STAMP)

    assert post.path == "/flow/uploadImage"
    assert body_of(post) == {
        "clientContext": {"sessionId": ";1700", "tool": "PINHOLE", "projectId": "p1"},
        "fileName": "upload_1700.png",
        "imageBytes": base64.b64encode(UPLOADED.data).decode(),
        "isHidden": False,
        "isUserUploaded": True,
        "mimeType": "image/png",
    }


def test_seed_pictures() -> None:
    post = era_seed.pictures(order(), read_wire(order().spec), STAMP)

    request = {
        "clientContext": {"sessionId": ";1700"},
        "seed": 41,
        "imageModelName": "SEED_KEY",
        "imageAspectRatio": "RATIO",
        "prompt": "a red mug",
        "imageInputs": [],
    }
    assert post.path == "/projects/p1/flowMedia:batchGenerateImages"
    assert body_of(post) == {"requests": [request, request | {"seed": 42}]}


def test_later_pictures() -> None:
    given = order("t2i", (InputRole.REFERENCE, "m1"), (InputRole.BASE, "m2"))

    post = era_2026_06.pictures(given, read_wire(given.spec), STAMP)

    request = {
        "clientContext": CONTEXT,
        "seed": 41,
        "imageModelName": "KEY",
        "imageAspectRatio": "RATIO",
        "structuredPrompt": {"parts": [{"text": "a red mug"}]},
        "imageInputs": [
            {"name": "m1", "imageInputType": "IMAGE_INPUT_TYPE_REFERENCE"},
            {"name": "m2", "imageInputType": "IMAGE_INPUT_TYPE_BASE_IMAGE"},
        ],
    }
    assert body_of(post) == {
        "clientContext": CONTEXT,
        "mediaGenerationContext": {"batchId": "b1"},
        "useNewMedia": True,
        "requests": [request, request | {"seed": 42}],
    }


def test_later_enlarged_picture_reuses_the_session_that_made_it() -> None:
    made = Product("m1", extra=Lineage(session=";1600").text())

    post = era_2026_06.enlarged_picture(order(stage=Stage.ENLARGE, source=made), "TARGET", STAMP)

    assert post.path == "/flow/upsampleImage"
    assert body_of(post) == {
        "mediaId": "m1",
        "targetResolution": "TARGET",
        "clientContext": PAID_CONTEXT | {"sessionId": ";1600"},
    }


def test_seed_video_from_text() -> None:
    path, body = video(era_seed, order("t2v"))

    assert path == "/video:batchAsyncGenerateVideoText"
    assert body == {
        "clientContext": SEED_CONTEXT,
        "requests": [
            {
                "aspectRatio": "RATIO",
                "seed": 41,
                "textInput": {"prompt": "a red mug"},
                "videoModelKey": "SEED_KEY",
                "metadata": {"sceneId": "s1"},
            }
        ],
    }


def test_later_video_from_text() -> None:
    path, body = video(era_2026_06, order("t2v"))

    assert path == "/video:batchAsyncGenerateVideoText"
    assert body == {
        "mediaGenerationContext": {"batchId": "b1", "audioFailurePreference": "BLOCK_SILENCED_VIDEOS"},
        "clientContext": PAID_CONTEXT,
        "requests": [
            {
                "aspectRatio": "RATIO",
                "seed": 41,
                "textInput": {"structuredPrompt": {"parts": [{"text": "a red mug"}]}},
                "videoModelKey": "KEY",
                "metadata": {},
            }
        ],
        "useV2ModelConfig": True,
    }


@pytest.mark.parametrize(
    ("inputs", "seed_path", "later_path", "extra"),
    [
        (
            [(InputRole.START, "a")],
            "/video:batchAsyncGenerateVideoStartAndEndImage",
            "/video:batchAsyncGenerateVideoStartImage",
            {"startImage": {"mediaId": "a"}},
        ),
        (
            [(InputRole.START, "a"), (InputRole.END, "b")],
            "/video:batchAsyncGenerateVideoStartAndEndImage",
            "/video:batchAsyncGenerateVideoStartAndEndImage",
            {"startImage": {"mediaId": "a"}, "endImage": {"mediaId": "b"}},
        ),
        (
            [(InputRole.REFERENCE, "a"), (InputRole.REFERENCE, "b")],
            "/video:batchAsyncGenerateVideoReferenceImages",
            "/video:batchAsyncGenerateVideoReferenceImages",
            {
                "referenceImages": [
                    {"mediaId": "a", "imageUsageType": "IMAGE_USAGE_TYPE_ASSET"},
                    {"mediaId": "b", "imageUsageType": "IMAGE_USAGE_TYPE_ASSET"},
                ]
            },
        ),
    ],
    ids=["one frame", "two frames", "references"],
)
def test_pictures_that_go_in_choose_path_and_fields(
    inputs: list[tuple[InputRole, str]], seed_path: str, later_path: str, extra: dict[str, Any]
) -> None:
    given = order("i2v", *inputs)

    for era, expected in ((era_seed, seed_path), (era_2026_06, later_path)):
        path, body = video(era, given)
        assert path == expected
        assert {name: body["requests"][0][name] for name in extra} == extra


def test_later_enlarged_video() -> None:
    path, body = video(era_2026_06, order("t2v", stage=Stage.ENLARGE, source=Product("m1")))

    assert path == "/video:batchAsyncGenerateVideoUpsampleVideo"
    assert "useV2ModelConfig" not in body
    assert body["requests"] == [
        {
            "aspectRatio": "RATIO",
            "seed": 41,
            "videoModelKey": "LARGE_KEY",
            "metadata": {"sceneId": "s1"},
            "videoInput": {"mediaId": "m1"},
            "resolution": "TARGET",
        }
    ]


def test_later_extension_names_the_workflow_of_its_source() -> None:
    made = Product("m1", extra=Lineage(workflow="w1").text())

    path, body = video(era_2026_06, order("extend", source=made))

    assert path == "/video:batchAsyncGenerateVideoExtendVideo"
    assert body["requests"][0]["videoInput"] == {"mediaId": "m1"}
    assert body["requests"][0]["metadata"] == {"workflowId": "w1"}


def test_extension_may_name_its_source_among_the_inputs() -> None:
    _, body = video(era_2026_06, order("extend", (InputRole.SOURCE, "m1")))

    assert body["requests"][0]["videoInput"] == {"mediaId": "m1"}


def test_seed_submit_is_polled_with_what_it_answered_unchanged() -> None:
    operation = {"operation": {"name": "op1"}, "sceneId": "s1", "status": "X", "unknownToUs": [1, {"a": None}]}

    begun = era_seed.submitted(msgspec.json.encode({"operations": [operation], "remainingCredits": 900}))

    assert begun is not None
    assert (begun.name, begun.credits_left) == ("op1", 900)
    assert msgspec.json.decode(era_seed.poll([begun.item])) == {"operations": [operation]}


def test_later_submit_is_polled_by_name_and_project() -> None:
    media = {"name": "m1", "projectId": "p1", "workflowId": "w1", "video": {}}

    begun = era_2026_06.submitted(msgspec.json.encode({"media": [media], "remainingCredits": 30, "workflows": []}))

    assert begun is not None
    assert (begun.name, begun.credits_left, begun.workflow) == ("m1", 30, "w1")
    assert msgspec.json.decode(era_2026_06.poll([begun.item])) == {"media": [{"name": "m1", "projectId": "p1"}]}


@pytest.mark.parametrize("era", ERAS.values(), ids=ERAS.keys())
def test_submit_that_began_nothing_is_told_from_one_that_says_nothing(era: Any) -> None:
    assert era.submitted(b'{"remainingCredits": 30}') is None
    assert era.submitted(b'{"media": [], "operations": [], "remainingCredits": 30}') is None
    with pytest.raises(UpstreamInvalidError):
        era.submitted(b"{}")


def seed_entry(status: str, **operation: Any) -> bytes:
    return msgspec.json.encode(
        {"operations": [{"operation": {"name": "op1"} | operation, "sceneId": "s", "status": status}]}
    )


def later_entry(status: str, **fields: Any) -> bytes:
    media_status = {"mediaGenerationStatus": status} | fields
    return msgspec.json.encode(
        {"media": [{"name": "op1", "workflowId": "w1", "mediaMetadata": {"mediaStatus": media_status}}]}
    )


def only(items: Any) -> PolledItem:
    (item,) = items
    assert isinstance(item, PolledItem)
    return item


@pytest.mark.parametrize(
    "status",
    ["MEDIA_GENERATION_STATUS_" + word for word in ("PENDING", "SCHEDULED", "ACTIVE", "IN_PROGRESS", "DREAMING")]
    + [""],
)
def test_status_that_is_no_end_is_running(status: str) -> None:
    for item in (only(era_seed.polled(seed_entry(status))), only(era_2026_06.polled(later_entry(status)))):
        assert not item.outcome().is_final


@pytest.mark.parametrize("word", ["FAILED", "CANCELED", "ERROR_INTERNAL"])
def test_failed_status_is_final_without_a_reason(word: str) -> None:
    status = "MEDIA_GENERATION_STATUS_" + word
    for item in (only(era_seed.polled(seed_entry(status))), only(era_2026_06.polled(later_entry(status)))):
        assert isinstance(item.outcome().error, UpstreamRejectedError)


def test_seed_success_tells_where_the_bytes_are() -> None:
    video_part = {"mediaGenerationId": "CAUS1", "fifeUrl": "https://x.example/v"}
    body = seed_entry("MEDIA_GENERATION_STATUS_SUCCESSFUL", metadata={"name": "CAUS0", "video": video_part})

    assert only(era_seed.polled(body)).outcome().product == Product("CAUS1", "https://x.example/v")


def test_seed_success_without_an_address_is_a_success() -> None:
    body = seed_entry("MEDIA_GENERATION_STATUS_SUCCESSFUL", metadata={"name": "CAUS0"})

    assert only(era_seed.polled(body)).outcome().product == Product("CAUS0")


def test_later_success_has_a_name_and_a_workflow() -> None:
    product = only(era_2026_06.polled(later_entry("MEDIA_GENERATION_STATUS_COMPLETE"))).outcome().product

    assert product is not None
    assert (product.name, product.url, Lineage.of(product).workflow) == ("op1", None, "w1")


@pytest.mark.parametrize(
    "media",
    [
        {
            "name": "op1",
            "mediaMetadata": {"mediaStatus": {"mediaGenerationStatus": "MEDIA_GENERATION_STATUS_SUCCESSFUL"}},
        },
        {"name": "op1", "mediaStatus": {"mediaGenerationStatus": "MEDIA_GENERATION_STATUS_SUCCESSFUL"}},
        {"name": "op1", "status": "MEDIA_GENERATION_STATUS_SUCCESSFUL"},
    ],
)
def test_later_status_is_read_from_each_of_its_places(media: dict[str, Any]) -> None:
    assert only(era_2026_06.polled(msgspec.json.encode({"media": [media]}))).outcome().product is not None


def test_reason_of_a_failure_is_kept() -> None:
    seed_item = only(era_seed.polled(seed_entry("X_FAILED_ERROR", error={"code": 3, "message": "PUBLIC_ERROR_SEXUAL"})))
    told = {"code": 3, "message": "PUBLIC_ERROR_IP_INPUT_IMAGE"}
    later_body = later_entry("MEDIA_GENERATION_STATUS_FAILED", error=told, failureReasons=["IP_PROHIBITED"])
    silent = later_entry("MEDIA_GENERATION_STATUS_FAILED", failureReasons=["IP_PROHIBITED"])

    for item, reason in ((seed_item, "PUBLIC_ERROR_SEXUAL"), (only(era_2026_06.polled(later_body)), told["message"])):
        error = item.outcome().error
        assert isinstance(error, ContentBlockedError)
        assert error.reason == reason
    assert only(era_2026_06.polled(silent)).failure == "IP_PROHIBITED"


@pytest.mark.parametrize("era", ERAS.values(), ids=ERAS.keys())
@given(
    body=st.binary(max_size=120)
    | st.sampled_from([b"[]", b"null", b'{"media": [1]}', b'{"operations": [{}]}', b"[" * 9999])
)
def test_whatever_comes_is_read_or_refused(era: Any, body: bytes) -> None:
    for read in (era.submitted, lambda text: list(era.polled(text))):
        with suppress(UpstreamInvalidError):
            read(body)
