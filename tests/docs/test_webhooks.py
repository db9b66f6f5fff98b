"""The page of webhooks is complete, and what it says of signatures is true."""

from datetime import UTC, datetime

import pytest

from flow2api.adapters.webhooks.signature import new_secret, signature
from flow2api.domain.notices import NoticeKind
from flow2api.domain.usecases.manage_webhooks import TEST
from tests.docs.pages import DOCS, blocks, headings

PAGE = DOCS / "reference" / "webhooks.md"


def test_every_event_has_its_heading() -> None:
    told = {heading.strip("`") for heading in headings(PAGE) if heading.startswith("`")}
    assert told == {kind.value for kind in NoticeKind} | {TEST}


@pytest.mark.parametrize(("late_s", "spoilt", "genuine"), [(0, b"", True), (0, b" ", False), (400, b"", False)])
def test_receiver_of_the_page_knows_what_is_genuine(late_s: int, spoilt: bytes, genuine: bool) -> None:
    (block,) = (block for block in blocks(PAGE) if block.language == "python")
    page: dict[str, object] = {}
    exec(block.text, page)
    secret, body, sent_at = new_secret(), b'{"type": "disk.full"}', int(datetime.now(UTC).timestamp()) - late_s
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(sent_at),
        "webhook-signature": signature(secret, "msg_1", sent_at, body),
    }

    assert page["is_genuine"](secret.reveal(), headers, body + spoilt) is genuine  # type: ignore[operator]
