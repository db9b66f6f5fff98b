"""A server that nobody has set up, and the first of its pages."""

import re
from pathlib import Path
from typing import Self

from playwright.sync_api import Page

from tests.e2e.processes import Gateway, Simulator

PASSPHRASE = "quiet maple river lamp"


class EmptyGateway(Gateway):
    """A server without an account, a key and anybody who may sign in."""

    def __enter__(self) -> Self:
        self.start()
        self.wait_until_ready()
        return self

    def setup_code(self) -> str:
        """What it has told who started it."""
        told = re.search(r"/setup with this code, good for 15 minutes: (\S+)", self.output())
        assert told, self.output()
        return told[1]


def simulator_in(folder: Path) -> Simulator:
    """An upstream with one account that the server knows nothing of."""
    return Simulator(folder, {"picture_s": 0.1, "media": "small"}, [{"email": "one@example.com"}])


def fill_in(page: Page, code: str) -> None:
    """The form of the setup, and send it."""
    page.fill("#code", code)
    page.fill("#name", "owner")
    page.fill("#passphrase", PASSPHRASE)
    page.fill("#again", PASSPHRASE)
    page.locator("form[action='/setup'] button.pri").click()
