"""Pages of lists in memory."""

from flow2api.adapters.console.slices import Slice, slice_behind

LETTERS = list("abcdefg")


def of(after: str) -> Slice[str]:
    return slice_behind(LETTERS, after, str, size=3)


def test_pages_follow_each_other_both_ways() -> None:
    first, second, last = of(""), of("c"), of("f")

    assert [list(page.items) for page in (first, second, last)] == [["a", "b", "c"], ["d", "e", "f"], ["g"]]
    assert [(page.has_before, page.before, page.behind) for page in (first, second, last)] == [
        (False, "", "c"),
        (True, "", "f"),
        (True, "c", ""),
    ]
    assert [(page.first, page.total) for page in (first, second, last)] == [(1, 7), (4, 7), (7, 7)]


def test_item_that_has_gone_leads_to_the_beginning() -> None:
    assert list(of("z").items) == ["a", "b", "c"]


def test_list_without_anything_has_one_empty_page() -> None:
    empty: Slice[str] = slice_behind([], "", str)

    assert (list(empty.items), empty.first, empty.has_before, empty.behind) == ([], 0, False, "")
