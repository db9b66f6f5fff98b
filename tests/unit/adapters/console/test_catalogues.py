"""The catalogue of each language holds what the console says now: all of it, and nothing else."""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from flow2api.adapters.console.language import ENGLISH, LANGUAGES, load, ngettext, retold, speaking
from flow2api.adapters.console.templates import environment
from flow2api.domain.errors import Flow2ApiError
from flow2api.extensions import load_extensions
from flow2api.extensions.sections import schema_of

ROOT = Path(__file__).parents[4]
NOT_ON_PAGES = {"import_legacy.py", "inherit_settings.py", "notices.py"}
"""Files whose sentences are for the command line, or for messages that are sent out."""

OTHERS = [tag for tag in LANGUAGES if tag != ENGLISH]
PLACEHOLDER = re.compile(r"%\(\w+\)\w|%%")
NO_SENTENCE_MARKS = re.compile(r"[\u4e00-\u9fff][,.;:!?](?:\s|$)")


@pytest.fixture(scope="module")
def said() -> Catalog:
    """All that is found by extracting it anew, as `make messages` does."""
    with pytest.MonkeyPatch.context() as patch, (ROOT / "locale" / "babel.cfg").open() as file:
        patch.syspath_prepend(str(ROOT / "locale"))
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
        found = Catalog()
        for folder in ("flow2api", "templates"):
            inside = [
                (pattern.removeprefix(f"{folder}/"), how) for pattern, how in methods if pattern.startswith(folder)
            ]
            settings = {pattern.removeprefix(f"{folder}/"): given for pattern, given in options.items()}
            extracted = extract_from_dir(
                ROOT / folder, inside, settings, DEFAULT_KEYWORDS, directory_filter=lambda _: True
            )
            for *_, message, _, context in extracted:
                found.add(message, context=context)
    return found


@dataclass(frozen=True)
class Told:
    """A place where an error of the tree is given its sentence."""

    error: str
    file: str
    line: int
    has_facts: bool
    messages: list[str]


@pytest.fixture(scope="module")
def errors() -> list[Told]:
    """All such places, with what is found there for the catalogues."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "locale"))
        sentences = importlib.import_module("sentences")
    names = {cls.__name__ for cls in _descendants(Flow2ApiError)} - {"ConfigurationError", "PluginError"}
    told = []
    for folder in ("domain", "adapters"):
        for path in sorted((ROOT / "flow2api" / folder).rglob("*.py")):
            source = path.read_bytes()
            nodes = [(node, _error_of(node)) for node in ast.walk(ast.parse(source))]
            calls = [(error, _call_with_words(node)) for node, error in nodes if error in names]
            if not any(call for _, call in calls):
                continue
            found = [(line, message) for line, _, message, _ in sentences.extract_all(BytesIO(source), {}, (), {})]
            for error, call in calls:
                if call is not None:
                    within = range(call.lineno, (call.end_lineno or 0) + 1)
                    facts = any(isinstance(one, ast.JoinedStr) for one in ast.walk(call.args[0]))
                    messages = [message for line, message in found if line in within]
                    told.append(Told(error, path.name, call.lineno, facts, messages))
    return told


def _error_of(node: ast.AST) -> str:
    """Which error a call or a class makes."""
    if isinstance(node, ast.ClassDef):
        return node.name
    if isinstance(node, ast.Call):
        return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return ""


def _call_with_words(node: ast.AST) -> ast.Call | None:
    """The call that is given a sentence: this one, or the one of the base in a constructor."""
    if isinstance(node, ast.ClassDef):
        starts = [one for one in ast.walk(node) if isinstance(one, ast.Call) and _error_of(one) == "__init__"]
        return next((one for one in starts if _call_with_words(one) is not None), None)
    if not isinstance(node, ast.Call) or not node.args:
        return None
    texts = [one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant)]
    return node if any(" " in str(text).strip() for text in texts) else None


@pytest.fixture(params=OTHERS)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    return _read(ROOT / "locale" / request.param.replace("-", "_") / "LC_MESSAGES" / "console.po")


def test_everything_said_is_in_the_catalogue_and_nothing_else(said: Catalog, catalogue: Catalog) -> None:
    wanted, there = _ids(said), _ids(catalogue)
    assert len(wanted) > 1000
    assert sorted(wanted - there) == [], "run `make messages`, and translate these"
    assert sorted(there - wanted) == [], "run `make messages`; nobody says these any more"
    assert catalogue.obsolete == {}


def test_template_of_the_catalogues_is_up_to_date(said: Catalog) -> None:
    assert _ids(_read(ROOT / "locale" / "console.pot")) == _ids(said)


def test_everything_is_translated_for_good(catalogue: Catalog) -> None:
    assert [one.id for one in _messages(catalogue) if not all(_forms(one))] == []
    assert [one.id for one in _messages(catalogue) if one.fuzzy] == []


def test_plural_forms_are_as_many_as_the_language_has(catalogue: Catalog) -> None:
    plurals = [one for one in _messages(catalogue) if one.pluralizable]
    assert plurals
    assert [one.id for one in plurals if len(_forms(one)) != catalogue.num_plurals] == []


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("The prompt is empty; say what to make.", id="sentence-of-an-error"),
        pytest.param(
            "The server is set up already. Sign in, or have an owner make you an operator.", id="of-its-class"
        ),
        pytest.param("The account's session has ended; give it a new session token.", id="one-of-two"),
        pytest.param("Stop the server and restore a backup.", id="what-mends-it"),
        pytest.param("one after the other", id="policy"),
        pytest.param("a call succeeded", id="why-something-happened"),
        pytest.param("switched on again", id="from-a-table"),
        pytest.param("Skip to content", id="frame-of-every-page"),
        pytest.param("There is no account with the id %(account_id)s.", id="sentence-with-a-fact"),
        pytest.param("%(count)s no_tier", id="reason-with-how-many"),
        pytest.param("drawn by weight, its own being %(weight)s", id="clause-with-a-fact"),
        pytest.param("The media folder %(folder)s has %(free)s MiB left.", id="one-for-each-thing-it-is-called-with"),
        pytest.param("This takes the role %(least)s; yours is %(role)s.", id="error-of-the-console-itself"),
        pytest.param("check: media folder", id="name-of-a-check"),
    ],
)
def test_words_from_outside_the_console_are_found(said: Catalog, words: str) -> None:
    assert words in said


def test_every_sentence_with_facts_of_an_error_is_found(errors: list[Told]) -> None:
    told = [one for one in errors if one.has_facts and one.file not in NOT_ON_PAGES]
    assert len(told) > 150
    assert [f"{one.file}:{one.line} {one.error}" for one in told if not one.messages] == []


def test_every_error_of_the_tree_has_a_sentence_that_is_translated(errors: list[Told], catalogue: Catalog) -> None:
    translated = {message for one in _messages(catalogue) if all(_forms(one)) for message in _ids_of(one)}
    told = {one.error for one in errors}
    assert len(told) > 50
    assert sorted(told - {one.error for one in errors if translated & set(one.messages)}) == []


def test_placeholders_are_those_of_the_original(catalogue: Catalog) -> None:
    for one in _messages(catalogue):
        original = one.id if isinstance(one.id, str) else one.id[-1]
        for form in _forms(one):
            assert sorted(set(PLACEHOLDER.findall(form))) == sorted(set(PLACEHOLDER.findall(original))), one.id


def test_chinese_has_its_own_punctuation() -> None:
    chinese = _read(ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "console.po")
    assert [form for one in _messages(chinese) for form in _forms(one) if NO_SENTENCE_MARKS.search(form)] == []


@pytest.mark.parametrize("tag", OTHERS)
def test_pages_get_the_words_and_the_form_that_goes_with_a_number(tag: str) -> None:
    with speaking(load(tag)):
        words = (
            environment()
            .from_string("{{ _('Accounts') }}, {{ ngettext('%(num)s account', '%(num)s accounts', 1) }}")
            .render()
        )
        assert words == "账号, 1 个账号"
        assert ngettext("%(num)s account", "%(num)s accounts", 5) % {"num": 5} == "5 个账号"


def _descendants(of: type[Exception]) -> Iterator[type[Exception]]:
    yield of
    for one in of.__subclasses__():
        yield from _descendants(one)


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def _messages(catalogue: Catalog) -> Iterator[Message]:
    return (one for one in catalogue if one.id)


def _ids(catalogue: Catalog) -> set[tuple[str, ...]]:
    return {_ids_of(one) for one in _messages(catalogue)}


def _ids_of(one: Message) -> tuple[str, ...]:
    return (one.id,) if isinstance(one.id, str) else tuple(one.id or ())


def _forms(one: Message) -> tuple[str, ...]:
    return (one.string,) if isinstance(one.string, str) else tuple(one.string or ())


def test_what_settings_of_the_program_s_plugins_are_for_is_translated() -> None:
    told = [
        field["description"].replace("``", "")
        for declared in load_extensions().schemas.values()
        for field in schema_of(declared).get("properties", {}).values()
    ]
    assert told
    for tag in OTHERS:
        with speaking(load(tag)):
            assert [sentence for sentence in told if retold(sentence) == sentence] == []
