"""What messages to operators look like."""

from flow2api.domain import notices
from flow2api.domain.account import Account
from flow2api.domain.notification import message_of
from flow2api.testing.fakes.clock import START as NOW


def account(number: int) -> Account:
    return Account(id=number, upstream="flow", name=f"number {number}", created_at=NOW)


def test_one_notice_is_its_sentence() -> None:
    message = message_of([notices.disk_full(NOW)])

    assert message.title == "flow2api: care is needed"
    assert message.text == notices.disk_full(NOW).sentence
    assert message_of([notices.disk_freed(NOW)]).title == "flow2api: well again"


def test_several_are_lines_with_the_troubles_first() -> None:
    message = message_of([notices.account_recovered(account(1), NOW), notices.disk_full(NOW)])

    assert message.title == "flow2api: 2 things changed, 1 need care"
    assert [line[:9] for line in message.text.splitlines()] == ["- There i", "- Account"]


def test_many_are_counted_with_a_few_of_each() -> None:
    many = [notices.account_needs_care(account(number), NOW) for number in range(40)]
    message = message_of([*many, notices.disk_full(NOW)])

    lines = message.text.splitlines()
    assert lines[0] == "account.needs_care: 40"
    assert lines[4] == "- and 37 more"
    assert lines[5] == "disk.full: 1"
    assert len(lines) == 7


def test_what_could_not_be_held_is_counted_as_trouble() -> None:
    message = message_of([notices.disk_freed(NOW)], left_out=5)

    assert message.title == "flow2api: 6 things changed, 5 need care"
    assert message.text.splitlines()[-1] == "5 more were too many to be listed."
