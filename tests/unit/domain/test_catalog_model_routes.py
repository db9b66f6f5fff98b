"""The operator's lists of models behind one public name."""

from dataclasses import dataclass, field

import pytest

from flow2api.domain.catalog import Alias, BaseName, ModelCatalog, ModelRoutes, check_routes, model_routes
from flow2api.domain.catalog.model_routes import Routes
from flow2api.domain.errors import ConfigurationError, UnknownModelError
from flow2api.testing.factories import picture_spec, video_spec

CATALOG = ModelCatalog(
    [picture_spec("paint"), picture_spec("draw", upstream="other"), video_spec("film"), Alias("nice", {None: "paint"})]
)


@dataclass
class Operator:
    routes: Routes = field(default_factory=dict)

    def __call__(self) -> Routes:
        return self.routes


def test_name_without_a_route_stands_for_itself() -> None:
    routes = ModelRoutes(CATALOG)
    assert routes.targets("paint") == ("paint",)
    assert routes.listed() == CATALOG.listed()
    assert routes.describe("nothing") is None


def test_new_name_leads_to_its_models_and_is_listed() -> None:
    routes = ModelRoutes(CATALOG, Operator({"best": ("draw", "paint")}))
    assert routes.targets("best") == ("draw", "paint")
    described = routes.describe("best")
    assert described is not None
    assert (described.id, described.upstream) == ("best", "other")
    assert [one.id for one in routes.listed()] == ["paint", "draw", "film", "best"]


@pytest.mark.parametrize("name", ["paint", "nice"])
def test_name_of_a_model_begins_with_that_model(name: str) -> None:
    routes = ModelRoutes(CATALOG, Operator({name: ("draw",)}))
    assert routes.targets(name) == (name, "draw")
    assert routes.listed() == CATALOG.listed()


def test_routes_may_lead_to_routes() -> None:
    routes = ModelRoutes(CATALOG, Operator({"best": ("good", "paint"), "good": ("draw", "paint")}))
    assert routes.targets("best") == ("draw", "paint")


def test_changed_routes_act_at_once() -> None:
    operator = Operator()
    routes = ModelRoutes(CATALOG, operator)
    assert routes.describe("best") is None
    operator.routes = {"best": ("draw",)}
    assert routes.targets("best") == ("draw",)
    assert routes.listed() is routes.listed()
    operator.routes = {}
    assert routes.describe("best") is None


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ({"best": ("pain",)}, "leads 'best' to 'pain', which does not exist. Did you mean paint"),
        ({"best": ("xyzzy",)}, "leads 'best' to 'xyzzy', which does not exist."),
        ({"best": ()}, "names no model for 'best'"),
        ({" ": ("paint",)}, "cannot have the name ' '"),
        ({"a": ("b",), "b": ("a",)}, "circle: 'a' to 'b' to 'a'"),
        ({"a": ("a",)}, "circle: 'a' to 'a'"),
        ({"best": ("paint", "film")}, "leads 'best' to models for pictures and for videos"),
    ],
)
def test_routes_that_lead_nowhere_are_refused(routes: Routes, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_routes(routes, CATALOG)
    assert said in caught.value.message


def test_good_routes_are_taken() -> None:
    check_routes({"best": ("good", "paint"), "good": ("draw",), "paint": ("paint", "draw")}, CATALOG)


LINE = ModelCatalog(
    [
        picture_spec("wide", line="brush"),
        picture_spec("tall", line="brush"),
        picture_spec("pen"),
        BaseName("brush", "brush"),
        Alias("any-brush", {None: "brush"}),
        Alias("tall-brush", {None: "tall"}),
    ]
)


def test_name_that_is_off_is_unknown_with_all_that_belongs_to_it() -> None:
    routes = ModelRoutes(LINE, off=lambda: OFF_BRUSH)

    assert [one.id for one in routes.listed()] == ["pen"]
    for name in ("brush", "wide", "tall", "any-brush", "tall-brush"):
        assert routes.is_off(name)
        assert routes.describe(name) is None
        with pytest.raises(UnknownModelError):
            routes.targets(name)
    assert routes.targets("pen") == ("pen",)


OFF_BRUSH = ("brush",)


def test_alias_or_model_that_is_off_takes_no_other_name_along() -> None:
    routes = ModelRoutes(LINE, off=lambda: OFF_SOME)

    assert [name for name in ("brush", "wide", "tall", "any-brush", "tall-brush") if routes.is_off(name)] == [
        "tall",
        "any-brush",
        "tall-brush",
    ]


OFF_SOME = ("tall", "any-brush")


def test_route_passes_over_what_is_off_and_ends_where_nothing_is_left() -> None:
    off: list[tuple[str, ...]] = [("paint",)]
    routes = ModelRoutes(CATALOG, Operator({"best": ("paint", "draw"), "only": ("paint",)}), lambda: off[0])

    assert routes.targets("best") == ("draw",)
    assert routes.is_off("only")
    assert [one.id for one in routes.listed()] == ["draw", "film", "best"]

    off[0] = ("no-such-model",)
    assert routes.targets("best") == ("paint", "draw")
    assert not routes.is_off("only")


MANY = ModelCatalog(
    [
        picture_spec("paint"),
        picture_spec("paint-fast"),
        video_spec("film-wide", line="film"),
        BaseName("Film", "film"),
        Alias("nice", {None: "paint"}),
    ]
)


@pytest.mark.parametrize(
    ("patterns", "opened", "listed"),
    [
        (("paint",), {"paint", "nice"}, ["paint"]),
        (("PAINT*",), {"paint", "paint-fast", "nice"}, ["paint", "paint-fast"]),
        (("nice",), {"nice"}, ["nice"]),
        (("film",), {"Film", "film-wide"}, ["Film", "film-wide"]),
        (("*-wide", "pain?"), {"film-wide", "paint", "nice"}, ["film-wide", "paint"]),
        (("nothing",), set(), []),
        (("*",), {"paint", "paint-fast", "Film", "film-wide", "nice"}, ["Film", "paint", "paint-fast", "film-wide"]),
    ],
)
def test_patterns_stand_for_names_and_what_goes_with_them(
    patterns: tuple[str, ...], opened: set[str], listed: list[str]
) -> None:
    routes = ModelRoutes(MANY, Operator())
    names = {"paint", "paint-fast", "film-wide", "Film", "nice", "nothing"}

    assert {name for name in names if routes.selects(patterns, name)} == opened
    assert {one.id for one in routes.listed_of(patterns)} == set(listed)
    assert routes.listed_of(patterns) is routes.listed_of(patterns)


SHAPES = ModelCatalog(
    [
        picture_spec("wide", line="paint"),
        picture_spec("tall", line="paint"),
        picture_spec("other"),
        BaseName("paint", "paint"),
        Alias("former-wide", {None: "wide"}),
        Alias("former-paint", {None: "paint"}),
    ]
)


@pytest.mark.parametrize(
    ("patterns", "name", "model", "is_open"),
    [
        (("wide",), "wide", "wide", True),
        (("wide",), "wide", "tall", False),
        (("wide", "t*"), "wide", "tall", True),
        (("wide",), "former-wide", "tall", False),
        (("former-wide",), "former-wide", "wide", True),
        (("former-paint",), "former-paint", "tall", True),
        (("paint",), "paint", "tall", True),
        (("paint",), "wide", "tall", True),
        (("best",), "best", "tall", True),
        (("wide",), "wide", "other", True),
        (("nothing",), "nothing", "tall", False),
    ],
)
def test_what_parameters_make_of_a_name_has_to_be_selected_too(
    patterns: tuple[str, ...], name: str, model: str, is_open: bool
) -> None:
    routes = ModelRoutes(SHAPES, Operator({"best": ("wide",), "wide": ("other",)}))

    assert routes.opens(patterns, name, model) is is_open


def test_patterns_stand_for_the_operators_own_names_and_never_for_what_is_not_offered() -> None:
    operator = Operator({"best": ("draw", "paint")})
    off: list[tuple[str, ...]] = [()]
    routes = ModelRoutes(CATALOG, operator, lambda: off[0])

    assert [one.id for one in routes.listed_of(("b*",))] == ["best"]
    assert not routes.selects(("b*",), "draw")

    off[0] = ("best",)
    assert routes.listed_of(("b*",)) == ()


def test_only_so_many_selections_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_routes, "_MOST_SELECTIONS", 2)
    routes = ModelRoutes(CATALOG, Operator())
    first = routes.listed_of(("paint",))
    for name in ("draw", "film"):
        routes.listed_of((name,))

    assert routes.listed_of(("paint",)) is not first
