"""What bad input, a bad pool and a bad upstream get; every row of the promise, over the wire."""

import base64
import io
import json
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

import pytest
from PIL import Image

from flow2api.testing.simulator import SimulatorControl
from tests.e2e.conftest import OPTIONS
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_pictures import png
from tests.security.wire import Wire

JSON = {"content-type": "application/json"}
PNG_URL = "data:image/png;base64," + base64.b64encode(png(size=(64, 64))).decode()


@pytest.fixture(scope="module")
def era() -> str:
    return "2026-06"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    accounts = [{"email": "free@example.com", "tier": "PAYGATE_TIER_NOT_PAID", "credits": 10_000}]
    with Simulator(tmp_path_factory.mktemp("simulator"), {**OPTIONS, "era": "2026-06"}, accounts) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    environment = {"FLOW2API_OPTIONS__IMAGE_WAIT_S": "0.5", "FLOW2API_OPTIONS__VIDEO_WAIT_S": "0.5"}
    with Gateway(tmp_path_factory.mktemp("gateway"), simulator, environment=environment) as running:
        running.wait_until_warm()
        yield running


def ask(
    gateway: Gateway,
    method: str,
    path: str,
    body: Any = None,
    *,
    headers: dict[str, str] | None = None,
    key: str | None = "",
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and decoded body; ``key`` None sends none."""
    connection = HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    sent = dict(headers or (JSON if body is not None else {}))
    if key is not None:
        sent["authorization"] = f"Bearer {key or gateway.key}"
    payload = body if isinstance(body, bytes | str) or body is None else json.dumps(body)
    try:
        connection.request(method, path, payload, sent)
        answer = connection.getresponse()
        raw = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, json.loads(raw) if raw.startswith(b"{") else raw
    finally:
        connection.close()


def error(answer: tuple[int, dict[str, str], Any]) -> dict[str, Any]:
    assert set(answer[2]) == {"error"}
    assert set(answer[2]["error"]) == {"message", "type", "param", "code"}
    assert answer[1]["x-request-id"]
    return dict(answer[2]["error"])


IMAGE = "/v1/images/generations"


@pytest.mark.parametrize("key", [None, "f2a_wrong", "x" * 400])
def test_no_or_wrong_key_is_401_before_the_body_is_read(gateway: Gateway, key: str | None) -> None:
    answer = ask(gateway, "POST", IMAGE, "{not even json", key=key, headers=JSON)
    assert answer[0] == 401
    assert error(answer)["code"] == "invalid_api_key"


def test_revoked_key_is_401(gateway: Gateway) -> None:
    key = gateway.make_key("revoked")
    assert ask(gateway, "GET", "/v1/models", key=key)[0] == 200
    gateway.run("keys", "revoke", "revoked")
    deadline = time.monotonic() + 30
    while ask(gateway, "GET", "/v1/models", key=key)[0] != 401:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ("{", None),
        ("[" * 20_000 + "]" * 20_000, None),
        ('{"a":' * 20_000 + "1" + "}" * 20_000, None),
        ("[]", None),
        ("", None),
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": "   "}, "prompt"),
        ({"prompt": 3}, "prompt"),
        ({"prompt": "x" * 32_001}, "prompt"),
        ({"prompt": "x", "n": "3"}, "n"),
        ({"prompt": "x", "n": 0}, "n"),
        ({"prompt": "x", "n": 11}, "n"),
        ({"prompt": "x", "size": "huge"}, "size"),
        ({"prompt": "x", "size": "63x64"}, "size"),
        ({"prompt": "x", "size": "64x8193"}, "size"),
        ({"prompt": "x", "stream": "yes"}, "stream"),
        ({"prompt": "x", "output_format": "gif"}, "output_format"),
        ({"prompt": "x", "model": "veo_3_1_t2v_fast"}, "model"),
    ],
)
def test_bad_picture_requests_are_400(gateway: Gateway, body: Any, param: str | None) -> None:
    answer = ask(gateway, "POST", IMAGE, body, headers=JSON)
    assert answer[0] == 400, answer
    found = error(answer)
    assert found["type"] in ("invalid_request_error", "image_generation_user_error")
    assert found["param"] == param


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "gemini-3.0-pro-image", "messages": []}, "messages"),
        ({"model": "gemini-3.0-pro-image"}, "messages"),
        ({"model": "gemini-3.0-pro-image", "messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"model": "gemini-3.0-pro-image", "messages": [{"role": "user", "content": ""}]}, None),
    ],
)
def test_bad_chats_are_400(gateway: Gateway, body: Any, param: str | None) -> None:
    answer = ask(gateway, "POST", "/v1/chat/completions", body)
    assert answer[0] == 400, answer
    if param is not None:
        assert error(answer)["param"] == param


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"seconds": "0"}, "seconds"),
        ({"seconds": "61"}, "seconds"),
        ({"seconds": "soon"}, "seconds"),
        ({"size": "10x10"}, "size"),
        ({"model": "gemini-3.0-pro-image"}, "model"),
        ({"input_reference": {"file_id": "file-1"}}, "input_reference"),
        ({"input_reference": {"image_url": "data:image/png;base64,!!!"}}, "input_reference"),
        ({"input_reference": {"image_url": "http://127.0.0.1/a.png"}}, "input_reference"),
        ({"input_reference": {"image_url": "https://169.254.169.254/latest"}}, "input_reference"),
        ({"input_reference": {"image_url": "file:///etc/passwd"}}, "input_reference"),
        ({"input_reference": {"image_url": "https://localhost/a.png"}}, "input_reference"),
    ],
)
def test_bad_videos_are_400(gateway: Gateway, fields: dict[str, Any], param: str) -> None:
    answer = ask(gateway, "POST", "/v1/videos", {"model": "sora-2", "prompt": "waves", **fields})
    assert answer[0] == 400, answer
    assert (error(answer)["param"] or "").startswith(param)


@pytest.mark.parametrize("seconds", ["1", "60", "7"])
def test_seconds_within_bounds_are_rounded_with_a_warning(gateway: Gateway, seconds: str) -> None:
    status, _, video = ask(gateway, "POST", "/v1/videos", {"model": "sora-2", "prompt": "waves", "seconds": seconds})
    assert status == 200
    assert video["seconds"] in ("4", "6", "8")
    assert video["warnings"]


@pytest.mark.parametrize("type_", ["text/plain", "application/octet-stream", "application/x-www-form-urlencoded"])
def test_body_of_another_type_is_refused(gateway: Gateway, type_: str) -> None:
    body = json.dumps({"prompt": "a mug"})
    assert ask(gateway, "POST", IMAGE, body, headers={"content-type": type_})[0] in (400, 415)


def test_unknown_path_and_method_are_in_the_envelope(gateway: Gateway) -> None:
    assert error(ask(gateway, "GET", "/v1/nothing"))
    answer = ask(gateway, "PUT", "/v1/models", {})
    assert answer[0] == 405
    assert "GET" in answer[1]["allow"]
    assert error(answer)


def test_unknown_model_names_the_nearest(gateway: Gateway) -> None:
    answer = ask(gateway, "POST", IMAGE, {"prompt": "a mug", "model": "gemini-3.0-pro-imag"})
    assert answer[0] == 404
    found = error(answer)
    assert found["code"] == "model_not_found"
    assert "gemini-3.0-pro-image" in found["message"]


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"not a picture",
        png()[:200],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 50,
    ],
)
def test_what_is_no_picture_is_400(gateway: Gateway, picture: bytes) -> None:
    url = "data:image/png;base64," + base64.b64encode(picture).decode()
    answer = ask(gateway, "POST", "/v1/images/edits", {"prompt": "bluer", "images": [{"image_url": url}]})
    assert answer[0] == 400, answer
    assert error(answer)["param"] is not None


def test_too_many_pictures_are_400(gateway: Gateway) -> None:
    images = [{"image_url": PNG_URL}] * 17
    answer = ask(gateway, "POST", "/v1/images/edits", {"prompt": "bluer", "images": images})
    assert answer[0] == 400
    assert "17" in error(answer)["message"] or "16" in error(answer)["message"]


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/images/edits", {"prompt": "bluer"}, "image"),
        ("/v1/videos", {"prompt": "waves", "model": "veo_3_1_i2v_s_fast_fl"}, "input_reference"),
        ("/v1/videos", {"prompt": "waves", "model": "veo_3_1_interpolation_lite", "image": PNG_URL}, "input_reference"),
    ],
)
def test_too_few_pictures_are_400(gateway: Gateway, path: str, body: dict[str, Any], param: str) -> None:
    answer = ask(gateway, "POST", path, body)
    assert answer[0] == 400, answer
    assert error(answer)["param"] == param


def large_file() -> bytes:
    """A picture of one byte more than is taken."""
    whole = png(size=(64, 64))
    return whole + bytes(12 * 1024 * 1024 + 1 - len(whole))


def many_pixels() -> bytes:
    """A small file of 50.4 megapixels."""
    out = io.BytesIO()
    Image.new("1", (8400, 6000)).save(out, "PNG")
    return out.getvalue()


def as_data_url(picture: bytes) -> tuple[bytes, dict[str, str]]:
    url = b"data:image/png;base64," + base64.b64encode(picture)
    return b'{"prompt": "bluer", "image": "' + url + b'"}', JSON


def as_base64(picture: bytes) -> tuple[bytes, dict[str, str]]:
    return b'{"prompt": "bluer", "image": "' + base64.b64encode(picture) + b'"}', JSON


def as_file(picture: bytes) -> tuple[bytes, dict[str, str]]:
    head = b'--edge\r\ncontent-disposition: form-data; name="%b"%b\r\n\r\n'
    file = head % (b"image", b'; filename="a.png"') + picture
    body = head % (b"prompt", b"") + b"bluer\r\n" + file + b"\r\n--edge--\r\n"
    return body, {"content-type": "multipart/form-data; boundary=edge"}


@pytest.mark.parametrize("make", [large_file, many_pixels])
@pytest.mark.parametrize("send", [as_data_url, as_base64, as_file])
def test_too_large_picture_is_400(
    gateway: Gateway, make: Callable[[], bytes], send: Callable[[bytes], tuple[bytes, dict[str, str]]]
) -> None:
    body, headers = send(make())
    answer = ask(gateway, "POST", "/v1/images/edits", body, headers=headers)
    assert answer[0] == 400, answer
    found = error(answer)
    assert (found["code"], found["param"]) == ("image_too_large", "image")
    assert "12,582,912 bytes" in found["message"] or "50 megapixels" in found["message"]


def test_memory_stays_flat_while_large_pictures_come(gateway: Gateway) -> None:
    noise = io.BytesIO()
    Image.frombytes("RGB", (1000, 1000), random.Random(1).randbytes(3_000_000)).save(noise, "PNG", compress_level=0)
    sent = [send(picture) for send in (as_data_url, as_file) for picture in (noise.getvalue(), large_file())]

    def edit(number: int) -> int:
        body, headers = sent[number % len(sent)]
        return ask(gateway, "POST", "/v1/images/edits", body, headers=headers)[0]

    with ThreadPoolExecutor(2) as callers:
        assert Counter(callers.map(edit, range(4))) == {200: 2, 400: 2}
        before = memory_mib(gateway)
        assert Counter(callers.map(edit, [0, 1, 1, 1, 1, 2, 3, 3] * 2)) == {200: 4, 400: 12}
    assert memory_mib(gateway) < before + 128, "a refused picture alone would leave 28 MiB behind"


def memory_mib(gateway: Gateway) -> float:
    assert gateway.child is not None
    return Wire(gateway.port, gateway.key, gateway.child.pid).memory_mib


def test_body_over_the_limit_is_413(gateway: Gateway) -> None:
    answer = ask(gateway, "POST", IMAGE, json.dumps({"prompt": "x" * (40 * 1024 * 1024)}), headers=JSON)
    assert answer[0] == 413
    assert error(answer)


def test_endless_chunked_body_is_413(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as sent:
        head = f"POST {IMAGE} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {gateway.key}\r\n"
        sent.sendall((head + "content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n").encode())
        chunk = b"%x\r\n%s\r\n" % (65536, b" " * 65536)
        status = b""
        try:
            for _ in range(1024):
                sent.sendall(chunk)
        except OSError:
            pass
        while b"\r\n" not in status:
            got = sent.recv(4096)
            if not got:
                break
            status += got
    assert status.startswith(b"HTTP/1.1 413"), status


@pytest.mark.parametrize("prompt", ["something unsafe", "filtered away"])
async def test_refused_prompt_is_400_and_not_held_against_the_account(
    gateway: Gateway, control: SimulatorControl, prompt: str
) -> None:
    for _ in range(4):
        answer = ask(gateway, "POST", IMAGE, {"prompt": prompt})
        assert answer[0] == 400, answer
        assert error(answer)["code"] == "moderation_blocked"
    assert ask(gateway, "POST", IMAGE, {"prompt": "a mug"})[0] == 200


def test_no_account_of_the_tier_is_503_with_the_counts(gateway: Gateway) -> None:
    answer = ask(gateway, "POST", IMAGE, {"prompt": "a mug", "resolution": "4k", "model": "gemini-3.0-pro-image"})
    assert answer[0] == 503
    found = error(answer)
    assert found["code"] == "no_account_available"
    assert "no_tier" in found["message"]
    assert answer[1]["x-should-retry"] == "false"


def test_unknown_video_is_404(gateway: Gateway) -> None:
    for method, path in [("GET", ""), ("GET", "/content"), ("DELETE", ""), ("GET", "/content?variant=thumbnail")]:
        answer = ask(gateway, method, f"/v1/videos/video_{'0' * 32}{path}")
        assert answer[0] == 404
        assert error(answer)


def test_headers_over_16_kib_are_refused(gateway: Gateway) -> None:
    answer = ask(gateway, "GET", "/v1/models", headers={"x-much": "y" * 20_000})
    assert answer[0] == 431


@pytest.mark.parametrize(
    ("kind", "fields", "status", "code"),
    [
        ("error", {"status": 500}, 502, "upstream_unavailable"),
        ("html", {"status": 502}, 502, "upstream_unavailable"),
        ("drop", {}, 502, "upstream_unavailable"),
        ("malformed", {}, 502, "upstream_invalid"),
        ("empty_body", {}, 502, "upstream_invalid"),
        ("truncate", {}, 502, "upstream_unavailable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_bad_upstream_has_a_status_and_a_stable_code(
    gateway: Gateway, control: SimulatorControl, kind: Any, fields: dict[str, Any], status: int, code: str
) -> None:
    await control.add_fault(kind, call="generate_images", times=None, **fields)
    answer = ask(gateway, "POST", IMAGE, {"prompt": "a mug"})
    assert (answer[0], error(answer)["code"]) == (status, code), answer
    assert error(answer)["type"] == "server_error"
    assert answer[1]["x-should-retry"] == "false"
    await control.clear_faults()
    assert ask(gateway, "POST", IMAGE, {"prompt": "a mug"})[0] == 200
