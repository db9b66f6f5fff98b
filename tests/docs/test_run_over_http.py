"""The guide through a day over HTTP, run from its beginning to its end."""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import DOCS, blocks
from tests.e2e.conftest import ACCOUNTS, OPTIONS
from tests.e2e.processes import Gateway, Simulator

PAGE = DOCS / "how-to" / "run-the-pool-over-http.md"
PASSPHRASE = "quiet maple river lamp"
STRICT = "set -e -o pipefail\ncurl() { command curl --fail-with-body -w '\\n' \"$@\"; }\n"


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    with Simulator(tmp_path, {**OPTIONS, "era": "2026-06"}, ACCOUNTS) as running:
        yield running


@pytest.fixture
def gateway(simulator: Simulator, tmp_path: Path) -> Iterator[Gateway]:
    with Gateway(tmp_path, simulator) as running:
        passphrase = tmp_path / "passphrase"
        passphrase.write_text(PASSPHRASE)
        running.run("operator", "create", "--name", "ada", "--passphrase-file", str(passphrase))
        yield running


def account_of(simulator: Simulator) -> Any:
    """One more account of the played service."""
    asked = urllib.request.Request(f"{simulator.ready['base_url']}/_sim/accounts", b"{}", method="POST")
    with urllib.request.urlopen(asked) as answer:
        return json.load(answer)[0]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="needs curl and bash")
def test_every_line_does_what_the_page_says(gateway: Gateway, simulator: Simulator, tmp_path: Path) -> None:
    files = {
        "sign-in": {"username": "ada", "password": PASSPHRASE},
        "operator": {"name": "grace", "passphrase": "lamp river maple quiet", "role": "operator"},
        "account": {"session_token": account_of(simulator)["session_token"], "tags": ["eu"], "image_slots": 4},
    }
    for name, body in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(body))
    script = STRICT + "\n".join(block.text for block in blocks(PAGE) if block.language == "sh")
    script = script.replace("http://127.0.0.1:8000", gateway.url)

    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=100, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert answers[0]["tags"] == ["eu"]
    assert [one["email"] for one in answers[1]["items"]] == [answers[0]["email"]]
    assert (answers[2]["weight"], answers[2]["remark"]) == (10, "lent by Ada")
    assert answers[3] == {"account_ids": [answers[0]["id"]]}
    keys = [one for one in answers if "prefix" in one]
    assert [(one["name"], "key" in one) for one in keys] == [("shop", True), (keys[1]["name"], False)]
    assert len({one["signing_secret"] for one in answers if "signing_secret" in one}) == 2
    assert (tmp_path / "requests.csv").read_text().startswith("number,")
    assert (tmp_path / "session").stat().st_mode & 0o077 == 0
    assert [one["role"] for one in answers if "passphrase_changed_at" in one] == ["operator", "viewer"]
