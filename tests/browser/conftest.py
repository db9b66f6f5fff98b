"""Chromium before a demo that runs as a program of its own, and what is noted of every page that it opens."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.with_parent import tied

pytest.register_assert_rewrite("tests.browser.looks")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PICTURES = Path(os.environ.get("BROWSER_PICTURES", "dist/pictures"))
"""Where the pictures of the pages are left, for people to look at."""

_STARTS_WITHIN_S = 60.0

SLOW_S = 20.0
"""A machine that is busy with something else makes nothing wrong."""

expect.set_options(timeout=SLOW_S * 1000)

WATCH = """
window.__violations = [];
window.__xss = 0;
document.addEventListener('securitypolicyviolation', (e) => window.__violations.push(e.violatedDirective + ' ' + e.blockedURI));
"""


@dataclass(frozen=True)
class Demo:
    """A demo that is up."""

    base: str
    api_key: str
    operator: str
    passphrase: str
    simulator: str
    process: Any = None

    def picture(self, prompt: str, model: str = "gpt-image-1") -> Any:
        """A picture made over the client API."""
        answer = httpx.post(
            f"{self.base}/v1/images/generations",
            headers={"authorization": f"Bearer {self.api_key}"},
            json={"model": model, "prompt": prompt},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def video(self, prompt: str, model: str = "sora-2") -> str:
        """A video that was begun over the client API; its id."""
        answer = httpx.post(
            f"{self.base}/v1/videos",
            headers={"authorization": f"Bearer {self.api_key}"},
            json={"model": model, "prompt": prompt},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def refused(self, prompt: str) -> None:
        """A picture that the service refuses to make."""
        answer = httpx.post(
            f"{self.base}/v1/images/generations",
            headers={"authorization": f"Bearer {self.api_key}"},
            json={"model": "gpt-image-1", "prompt": f"{prompt} unsafe"},
            timeout=30,
        )
        assert answer.status_code == 400, answer.text

    def refused_for_now(self) -> None:
        """A picture that the server does not begin, for its key has begun its share."""
        headers = {"authorization": f"Bearer {self.operator_token()}"}
        with httpx.Client(base_url=self.base, timeout=30) as client:
            new = {"name": "a small share", "max_per_day": 1}
            key = client.post("/api/admin/keys", json=new, headers=headers).json()["key"]
            asked = {"model": "gpt-image-1", "prompt": "a lighthouse"}
            statuses = [
                client.post(
                    "/v1/images/generations", json=asked, headers={"authorization": f"Bearer {key}"}
                ).status_code
                for _ in range(2)
            ]
        assert statuses == [200, 429]

    def operator_token(self) -> str:
        """What opens the operators' API."""
        named = {"username": self.operator, "password": self.passphrase}
        return str(httpx.post(f"{self.base}/api/login", json=named, timeout=30).json()["token"])

    def upstream(self, method: str, path: str, **body: Any) -> Any:
        """What the simulated service says when it is steered."""
        answer = httpx.request(method, f"{self.simulator}/_sim{path}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass(frozen=True)
class Stock:
    """What there is in the demo, by what its pages are called in their addresses."""

    generation: str
    failed: str
    video: str
    medium: str
    line: str

    def path(self, template: str) -> str:
        """The address of a page about one of them."""
        return template.format(**asdict(self))


@dataclass
class Seen:
    """What went wrong in a page without anybody seeing it."""

    faults: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Note what the console of the browser says, and every answer of 500 and more."""
        page.on("console", lambda said: self._note(said) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("response", lambda got: self.faults.append(f"{got.status} {got.url}") if got.status >= 500 else None)

    def _note(self, said: Any) -> None:
        if "Failed to load resource" not in said.text:  # statuses are looked at where they matter
            self.faults.append(f"{said.type}: {said.text}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser there is nothing to try here; where the whole has to pass, that is a fault."""
    if CHROMIUM or os.environ.get("CI"):
        return
    for item in items:
        if Path(__file__).parent in Path(item.path).parents:
            item.add_marker(pytest.mark.skip(reason="there is no Chromium here: apt-get install chromium"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    ready_file = tmp_path_factory.mktemp("demo") / "ready.json"
    command = [sys.executable, "-m", "flow2api", "demo", "--port", "0", "--ready-file", str(ready_file)]
    process = subprocess.Popen(tied(command), stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        yield _ready(ready_file, process)
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    assert CHROMIUM, "there is no Chromium here"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def session_state(demo: Demo, chromium: Browser) -> Any:
    """The cookies of somebody who is signed in to the demo."""
    context = chromium.new_context()
    page = context.new_page()
    sign_in(page, demo)
    state = context.storage_state()
    context.close()
    return state


HOSTILE = "<img src=x onerror=window.__xss=1><script>window.__xss=1</script>"
"""What must be shown as it stands, wherever somebody from outside may write."""


@pytest.fixture(scope="session")
def stock(demo: Demo, session_state: Any) -> Stock:
    """Two pictures, a video and one that failed, so that pages are not empty; the prompts mean harm."""
    demo.picture(f"a red mug {HOSTILE} on a wooden table")
    demo.picture("an isometric map of a small harbour town")
    demo.refused(f"a sign that says {HOSTILE}")
    demo.refused_for_now()
    video = demo.video(f"a paper boat {HOSTILE} drifting down a rain gutter")
    cookies = {one["name"]: one["value"] for one in session_state["cookies"]}
    with httpx.Client(base_url=demo.base, cookies=cookies, timeout=30) as browser:

        def first(path: str, pattern: str) -> str:
            until = time.monotonic() + SLOW_S  # lines of the log are written behind the answers
            while not (found := re.search(pattern, page := browser.get(path).text)):
                assert time.monotonic() < until, (path, pattern, page)
                time.sleep(0.1)
            return found[1]

        generation = r"/console/generations/(gen_\w+)"
        medium = first("/console/generations/gallery", r"/console/generations/gallery/(media_\w+)")
        failed = first("/console/generations?state=failed", generation)
        done = first("/console/generations?state=completed", generation)
        return Stock(done, failed, video, medium, first("/console/requests", r'id="line-(\d+)"'))


@pytest.fixture(scope="session")
def one_tab(chromium: Browser, session_state: Any) -> Iterator[tuple[Page, Seen]]:
    context = chromium.new_context(storage_state=session_state, viewport={"width": 1440, "height": 900})
    context.add_init_script(WATCH)
    page, noted = context.new_page(), Seen()
    noted.watch(page)
    yield page, noted
    context.close()


@pytest.fixture
def tab(one_tab: tuple[Page, Seen]) -> Iterator[Page]:
    """A tab that one test takes over from another, for those that only look."""
    page, noted = one_tab
    noted.faults.clear()
    yield page
    assert not noted.faults


@pytest.fixture
def context(chromium: Browser, session_state: Any) -> Iterator[BrowserContext]:
    """A browser of somebody who is signed in."""
    made = chromium.new_context(storage_state=session_state, viewport={"width": 1440, "height": 900}, locale="en-GB")
    made.add_init_script(WATCH)
    yield made
    made.close()


@pytest.fixture
def seen() -> Iterator[Seen]:
    """Nothing may go wrong unseen."""
    noted = Seen()
    yield noted
    assert not noted.faults


@pytest.fixture
def page(context: BrowserContext, seen: Seen) -> Page:
    """A tab of his."""
    made = context.new_page()
    seen.watch(made)
    return made


def sign_in(page: Page, demo: Demo) -> None:
    """By the door."""
    page.goto(f"{demo.base}/login")
    page.fill("#name", demo.operator)
    page.fill("#passphrase", demo.passphrase)
    page.click("button.pri")
    page.wait_for_url("**/console*", wait_until="commit")


def _ready(ready_file: Path, process: "subprocess.Popen[bytes]") -> Demo:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while not ready_file.exists():
        assert process.poll() is None, "the demo ended"
        assert time.monotonic() < deadline, "the demo was not ready in time"
        time.sleep(0.1)
    told = json.loads(ready_file.read_text())
    base = told["console_url"].removesuffix("/console")
    return Demo(base, told["api_key"], told["operator"], told["password"], told["simulator_url"])
