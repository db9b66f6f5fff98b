"""What is shown over HTTP has the names that the command line prints as JSON, where each has a document of its own."""

from flow2api.adapters.admin_api.resources.keys import KeyView
from flow2api.cli.keys import KeyOut
from flow2api.cli.options import OptionOut


def test_names_are_those_of_the_command_line() -> None:
    assert set(KeyView.__struct_fields__) == set(KeyOut.__struct_fields__)


def test_option_says_more_over_http() -> None:
    assert {"name", "value", "default", "source"} == set(OptionOut.__struct_fields__)
