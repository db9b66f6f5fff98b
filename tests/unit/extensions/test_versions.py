import pytest

from flow2api.extensions.versions import fits, requirement_on


@pytest.mark.parametrize(
    ("version", "wanted", "is_right"),
    [
        ("0.2.0", "", True),
        ("0.2.0", ">=0.2", True),
        ("0.2.0", ">=0.2, <1", True),
        ("0.2.0", ">=0.2.1", False),
        ("0.10", ">=0.9", True),
        ("1.0", "<1", False),
        ("0.2.0", "==0.2", True),
        ("0.2.0", "!=0.2", False),
        ("0.2.0", ">0.2", False),
        ("0.2.0", "<=0.2", True),
        ("0.2.7", "~=0.2.1", True),
        ("0.3.0", "~=0.2.1", False),
        ("0.9", "~=0.2", True),
        ("1.0", "~=0.2", False),
        ("0.2.0rc1", ">=0.2", True),
    ],
)
def test_version_is_compared_by_its_numbers(version: str, wanted: str, is_right: bool) -> None:
    assert fits(version, wanted) is is_right


@pytest.mark.parametrize("wanted", ["0.2", "=>0.2", ">=0.2 <1", ">=x"])
def test_what_is_no_comparison_is_an_error(wanted: str) -> None:
    with pytest.raises(ValueError, match="is no comparison"):
        fits("0.2", wanted)


@pytest.mark.parametrize(
    ("requirements", "wanted"),
    [
        ([], ""),
        (["flow2api"], ""),
        (["msgspec>=1", "flow2api>=0.2,<1"], ">=0.2,<1"),
        (["flow2api (>=0.2)"], ">=0.2"),
        (["flow2api[testing]>=0.3; extra == 'testing'", "flow2api>=0.2"], ">=0.2"),
        (["Flow2API>=0.2 ; python_version > '3'"], ">=0.2"),
        (["flow2api-other>=9"], ""),
    ],
)
def test_requirement_of_a_package_is_found(requirements: list[str], wanted: str) -> None:
    assert requirement_on("flow2api", requirements) == wanted
