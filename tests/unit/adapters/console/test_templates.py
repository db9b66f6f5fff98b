"""What no template may hold, because the browser would not run it, or because it would be unsafe."""

import re
import threading
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from flow2api.adapters.console.areas import LIVE_VIEWS
from flow2api.adapters.console.folders import static_folder, template_folder
from flow2api.adapters.console.templates import _prepared, environment, prepare

TEMPLATES = sorted(path.relative_to(template_folder()).as_posix() for path in template_folder().rglob("*.html"))

FORBIDDEN = {
    "inline style": r"\sstyle\s*=",
    "inline style sheet": r"<style\b",
    "inline script": r"<script(?![^>]*\ssrc=)",
    "handler attribute": r"\son[a-z]+\s*=\s*[\"']",
    "hx-on": r"\bhx-on\b",
    "evaluated value": r"[\"']\s*(js|javascript):",
    "evaluated trigger filter": r"hx-trigger=\"[^\"]*\[",
    "value that is not escaped": r"\|\s*safe\b|autoescape\s+false",
    "address of another host": r"(src|href|action)=[\"'](https?:)?//",
}


def test_there_are_templates() -> None:
    assert len(TEMPLATES) > 5


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_keeps_to_the_strict_policy(name: str) -> None:
    text = (template_folder() / name).read_text(encoding="utf-8")
    found = [(what, match[0]) for what, pattern in FORBIDDEN.items() for match in re.finditer(pattern, text)]
    assert not found


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_form_that_changes_something_carries_the_token(name: str) -> None:
    text = (template_folder() / name).read_text(encoding="utf-8")
    if name.startswith("door/"):
        return  # nobody has a session there; the origin is looked at
    for form in re.findall(r"<form\b.*?</form>", text, flags=re.DOTALL):
        head = form[: form.index(">")]
        if re.search(r"method=[\"']post", head, flags=re.IGNORECASE):
            assert re.search(r"csrf\(|forms?\.begin\(", form), form[:200]


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_is_understood(name: str) -> None:
    environment().get_template(name)


PARTS = sorted({(element, name) for live in LIVE_VIEWS for element, name in live.parts.items()})


@pytest.mark.parametrize(("element", "name"), PARTS)
def test_part_that_is_put_in_place_has_one_root_with_its_id(element: str, name: str) -> None:
    text = (template_folder() / name).read_text(encoding="utf-8")
    text = re.sub(r"\{%-?\s*macro\b.*?endmacro\s*-?%\}", "", text, flags=re.DOTALL)
    bare = re.sub(r"\{#.*?#\}|\{%.*?%\}", "", text, flags=re.DOTALL).strip()
    root = re.match(r"<\w+[^>]*\sid=\"([\w-]+)\"", bare)
    assert root is not None, f"{name} has to begin with its root element, which has an id"
    assert root[1] == element


def test_missing_value_is_an_error_and_every_value_is_escaped() -> None:
    made = environment()
    assert made.from_string("{{ a }}").render(a="<b>") == "&lt;b&gt;"
    with pytest.raises(jinja2.UndefinedError):
        made.from_string("{{ nothing_of_this_name }}").render()


@pytest.mark.parametrize("name", TEMPLATES)
def test_words_are_translated(name: str) -> None:
    """Text between tags goes through gettext, so that no page is in two languages."""
    text = (template_folder() / name).read_text(encoding="utf-8")
    text = re.sub(r"\{% block (main_class|head) %\}.*?\{% endblock %\}", "", text, flags=re.DOTALL)
    bare = re.sub(r"<(code|kbd|pre)\b.*?</\1>", "", text, flags=re.DOTALL)
    data = "".join(
        part.data
        for output in environment().parse(bare).find_all(nodes.Output)
        for part in output.nodes
        if isinstance(part, nodes.TemplateData)
    )
    between = re.sub(r"<[^>]*>", " ", re.sub(r"<!--.*?-->", "", data, flags=re.DOTALL))
    words = set(re.findall(r"[A-Za-z]{3,}", re.sub(r"[\w-]+=\"[^\"]*\"?", " ", between)))
    assert not words - {"flow", "api", "doctype", "html"} or name.startswith("_macros"), words


def test_style_sheet_and_script_call_no_other_host() -> None:
    for path in static_folder().rglob("console.*"):
        assert not re.search(r"https?://|url\(\s*[\"']?//", path.read_text(encoding="utf-8")), path.name


def test_icons_that_templates_name_are_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (static_folder() / "icons.svg").read_text(encoding="utf-8")))
    for path in Path(template_folder()).rglob("*.html"):
        named = set(re.findall(r"icon\(\"([\w-]+)\"", path.read_text(encoding="utf-8")))
        assert named <= sprite, (path.name, named - sprite)


async def test_page_is_compiled_with_all_that_it_shows_where_nobody_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment.cache_clear()
    _prepared.cache_clear()
    compiled: dict[str | None, threading.Thread] = {}
    compile_one = jinja2.Environment.compile

    def noted(self: jinja2.Environment, source: str, name: str | None = None, *args: object, **more: object) -> object:
        assert name not in compiled
        compiled[name] = threading.current_thread()
        return compile_one(self, source, name, *args, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(jinja2.Environment, "compile", noted)
    await prepare("overview/index.html")
    await prepare("overview/index.html")

    assert {"overview/index.html", "_layout/base.html", "overview/_verdict.html", "_macros/parts.html"} <= set(compiled)
    assert threading.main_thread() not in compiled.values()
