"""What an operator comes for, from the first click to the last."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Demo, Stock

LOGGED = "gemini-3.1-flash-image-portrait"
"""A model that one test alone asks for."""


@pytest.fixture
def quick_videos(demo: Demo) -> Iterator[None]:
    """Videos take two seconds."""
    before = demo.upstream("GET", "/options")
    demo.upstream("PATCH", "/options", video_s=2.0, video_scale=0.2)
    yield
    demo.upstream("PATCH", "/options", video_s=before["video_s"], video_scale=before["video_scale"])


def test_thousand_accounts_are_looked_through_and_imported(page: Page, demo: Demo) -> None:
    accounts = demo.upstream("POST", "/accounts", count=1000)
    table = io.StringIO()
    lines = csv.writer(table)
    lines.writerow(["session_token", "email", "is_active"])
    lines.writerows([one["session_token"], one["knobs"]["email"], "false"] for one in accounts)
    lines.writerow(["", "nobody@example.com", "false"])

    page.goto(f"{demo.base}/console/accounts/import")
    page.set_input_files("#file", {"name": "pool.csv", "mimeType": "text/csv", "buffer": table.getvalue().encode()})
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Import 1,000 accounts").click()

    expect(page.get_by_role("heading", name="pool.csv")).to_be_visible()
    expect(page.get_by_text("1,000 accounts were added or changed.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Report").click()
    report = download.value.path().read_text(encoding="utf-8-sig")
    assert len(list(csv.reader(io.StringIO(report)))) == 1 + 1001
    assert accounts[0]["session_token"] not in report


def test_dead_session_token_is_replaced(page: Page, demo: Demo) -> None:
    account = demo.upstream("POST", "/accounts", count=1)[0]
    page.goto(f"{demo.base}/console/accounts/add")
    page.fill("#session_token", account["session_token"])
    page.fill("#name", "one that dies")
    page.get_by_role("button", name="Test and add").click()
    page.get_by_role("link", name="one that dies").first.or_(
        page.get_by_role("heading", name="one that dies")
    ).wait_for()
    if "/console/accounts/" not in page.url or page.url.endswith("/add"):
        page.get_by_role("link", name="one that dies").first.click()
    expect(page.get_by_role("heading", level=1, name="one that dies")).to_be_visible()

    demo.upstream("PATCH", f"/accounts/{account['id']}", signed_out=True)
    page.get_by_role("button", name="Refresh now").first.click()
    expect(page.locator("#main").get_by_text("Sign-in expired").first).to_be_visible()

    page.fill("#credential", "this is none")
    page.get_by_role("button", name="Try and save").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    fresh = demo.upstream("POST", f"/accounts/{account['id']}/sign-in")["session_token"]
    page.fill("#credential", fresh)
    page.get_by_role("button", name="Try and save").click()
    expect(page.locator("#main").get_by_text("Ready").first).to_be_visible()
    assert fresh not in page.content()


def test_video_is_watched_while_it_is_made_and_then_played(page: Page, demo: Demo, quick_videos: None) -> None:
    page.goto(f"{demo.base}/console/playground")
    with page.expect_response(lambda got: got.url.endswith("/console/playground") and got.request.method == "POST"):
        page.select_option("#model", "veo_3_1_t2v_fast")
    page.fill("#prompt", "a paper boat in the rain")
    page.get_by_role("button", name="Make the video").click()
    expect(page.locator("#run progress").first).to_be_visible()
    video = page.locator("#run video")
    expect(video).to_be_visible()
    ready = video.evaluate(
        "async (v) => { v.muted = true; await v.play(); return [v.readyState >= 2, v.error, v.videoWidth > 0]; }"
    )
    assert ready == [True, None, True]


def test_log_is_filtered_and_taken_away(page: Page, demo: Demo, stock: Stock) -> None:
    page.goto(f"{demo.base}/console/requests")
    rows = page.locator("tr[data-row]")
    everything = rows.count()
    page.locator("select[name=state]").select_option("failed")
    page.wait_for_url("**state=failed**")
    expect(rows.filter(has_not_text="Failed")).to_have_count(0)
    assert 0 < rows.count() < everything

    with page.expect_download() as download:
        page.get_by_role("link", name="Export JSONL").click()
    lines = [json.loads(line) for line in download.value.path().read_text().splitlines()]
    assert len(lines) == rows.count()
    assert all(line["status"] >= 400 for line in lines)

    rows.first.locator("a").first.click()
    page.wait_for_url("**open=**")
    expect(page.locator("#request")).to_be_visible()


def test_setting_is_changed_acts_and_is_taken_back(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.base}/console/settings/records")
    page.get_by_label("Keep what was sent").click()
    expect(page.get_by_role("table", name="")).to_contain_text("Keep what was sent")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts .toast").first).to_be_visible()

    page.goto(f"{demo.base}/console/requests?model={LOGGED}")
    lines = page.locator("tr[data-row]").count()
    demo.picture("a lamp that is kept in the log", LOGGED)
    expect(page.locator("tr[data-row]")).to_have_count(lines + 1)
    page.locator("tr[data-row] a").first.click()
    expect(page.locator("#request pre").last).to_contain_text(f'"model": "{LOGGED}"')

    page.goto(f"{demo.base}/console/settings/records")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_label("Keep what was sent")).not_to_be_checked()


class TestWithoutScript:
    """Whatever is done with it can be done without it."""

    @pytest.fixture
    def plain(self, chromium: Any, session_state: Any) -> Iterator[Page]:
        context = chromium.new_context(storage_state=session_state, java_script_enabled=False, locale="en-GB")
        yield context.new_page()
        context.close()

    def test_account_is_added_and_paused(self, plain: Page, demo: Demo) -> None:
        account = demo.upstream("POST", "/accounts", count=1)[0]
        plain.goto(f"{demo.base}/console/accounts/add")
        plain.fill("#session_token", account["session_token"])
        plain.fill("#name", "plainly added")
        plain.get_by_role("button", name="Test and add").click()
        expect(plain.locator("#toasts .toast.ok")).to_be_visible()
        plain.goto(f"{demo.base}/console/accounts?q=plainly")
        plain.get_by_role("link", name="plainly added").first.click()
        plain.get_by_role("button", name="Pause").first.click()
        expect(plain.get_by_text("Paused").first).to_be_visible()

    def test_key_is_created_and_revoked(self, plain: Page, demo: Demo) -> None:
        plain.goto(f"{demo.base}/console/keys/create")
        plain.fill("#name", "plainly made")
        plain.get_by_role("button", name="Create key").click()
        expect(plain.locator("#key-text")).to_contain_text("f2a_")
        plain.goto(f"{demo.base}/console/keys?q=plainly")
        expect(plain.get_by_role("link", name="plainly made")).to_be_visible()

    def test_picture_is_made_by_a_page_that_refreshes(self, plain: Page, demo: Demo) -> None:
        plain.goto(f"{demo.base}/console/playground")
        plain.fill("#prompt", "a quiet harbour")
        plain.get_by_role("button", name="Make the picture").click()
        expect(plain.locator("#run .player img")).to_be_visible()

    def test_setting_is_reviewed_and_saved(self, plain: Page, demo: Demo) -> None:
        plain.goto(f"{demo.base}/console/settings/records")
        plain.get_by_label("Debug log").click()
        plain.get_by_role("button", name="Review changes").last.click()
        plain.get_by_role("button", name="Save").click()
        expect(plain.get_by_label("Debug log")).to_be_checked()
        plain.get_by_role("button", name="Take it back").click()
        expect(plain.get_by_label("Debug log")).not_to_be_checked()

    def test_log_is_filtered(self, plain: Page, demo: Demo, stock: Stock) -> None:
        plain.goto(f"{demo.base}/console/requests")
        plain.locator("select[name=state]").select_option("failed")
        plain.get_by_role("button", name="Filter").click()
        plain.wait_for_url("**state=failed**")

    def test_somebody_signs_in_and_out(self, chromium: Any, demo: Demo) -> None:
        context: BrowserContext = chromium.new_context(java_script_enabled=False, locale="en-GB")
        page = context.new_page()
        page.goto(f"{demo.base}/console/keys")
        page.fill("#name", demo.operator)
        page.fill("#passphrase", demo.passphrase)
        page.click("button.pri")
        page.wait_for_url("**/console/keys")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/login*")
        page.goto(f"{demo.base}/console")
        expect(page.locator("#passphrase")).to_be_visible()
        context.close()


def test_chosen_results_show_what_can_be_done_with_them(page: Page, demo: Demo, stock: Stock) -> None:
    page.goto(f"{demo.base}/console/generations/gallery")
    acts = page.get_by_role("group", name="With the selected")
    expect(acts).to_be_hidden()
    page.locator(".tile input[type=checkbox]").first.check()
    expect(acts.get_by_role("button", name="Download")).to_be_visible()
    page.locator(".tile input[type=checkbox]").first.uncheck()
    expect(acts).to_be_hidden()
