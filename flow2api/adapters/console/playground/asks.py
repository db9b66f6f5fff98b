"""What the form asks for: its pictures taken in, its fields kept for the page, and the request that they come to."""

from collections.abc import Sequence
from dataclasses import dataclass

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.errors import sentence_of
from flow2api.adapters.console.forms import Form, read_form
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.playground.models import ChosenModel, choose_model
from flow2api.adapters.console.visit import HttpRequest
from flow2api.domain.catalog import NATIVE_RESOLUTION
from flow2api.domain.errors import GenerationNotFoundError, RequestError, UnsupportedInputError
from flow2api.domain.generation import Generation, GenerationRequest, InputRole
from flow2api.domain.media import Media, MediaKind, MediaRole
from flow2api.domain.parameters import MOST_RESULTS
from flow2api.domain.request import MAX_PROMPT_CHARACTERS, check_prompt, plan_request, plan_route
from flow2api.domain.usecases.run_in_playground import OPERATORS, PLAYGROUND

MOST_UPLOAD_BYTES = 48 * 1024 * 1024
"""The largest form: a few pictures of the largest size."""
MOST_PICTURES = 16

FIELDS = frozenset(
    {
        "model",
        "prompt",
        "aspect_ratio",
        "resolution",
        "seconds",
        "n",
        "seed",
        "pictures",
        "kept",
        "source",
        "do",
        "drop",
    }
)
SHAPE_FIELDS = ("aspect_ratio", "resolution", "seconds", "n", "seed")

_FIELD_OF_PARAM = {"image": "pictures", "video": "source", "size": "aspect_ratio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A form, read.

    Attributes:
        pictures: Those that came along now and before, in their order.
        source: What is built on.
        source_seconds: How long that is, where it is a video.
        is_changing: Nothing is made yet: another model or another picture was chosen.
    """

    form: Form
    model: ChosenModel
    pictures: tuple[Media, ...] = ()
    source: Media | None = None
    source_seconds: int | None = None
    is_changing: bool = False

    @property
    def shape(self) -> dict[str, str]:
        """The parameters that were given."""
        return {name: value for name in SHAPE_FIELDS if (value := self.form.value(name).strip())}

    @property
    def used_pictures(self) -> tuple[Media, ...]:
        """The pictures, where the model takes any."""
        return self.pictures if self.model.most_pictures else ()


async def read_ask(doors: ConsoleDoors, request: HttpRequest) -> Asked:
    """The form of a request; what is wrong stands in it."""
    form = await read_form(request, FIELDS, saves=False)
    form.text("prompt", most=MAX_PROMPT_CHARACTERS)
    form.whole("n", least=1, most=MOST_RESULTS)
    form.whole("seed", least=-(2**63), most=2**63 - 1)
    if doors.routes.describe(form.value("model")) is None:
        form.refuse("model", gettext("There is no model of this name; choose one of those that are offered."))
    pictures = await _kept(doors, form)
    await _take_in(doors, form, pictures)
    source = await source_of(doors, form)
    return Asked(
        form=form,
        model=choose_model(doors, form.value("model")),
        pictures=tuple(pictures),
        source=source,
        source_seconds=await _seconds_of(doors, source),
        is_changing=form.value("do") == "change" or "drop" in form.values,
    )


async def ask_of(doors: ConsoleDoors, generation: Generation, *, count: int | None = None) -> Asked:
    """The form that would ask for a generation once more, with the pictures that operators may use."""
    spec = doors.catalog.spec(generation.spec_name)
    values = {"model": generation.model, "prompt": generation.prompt, "n": str(count or generation.count)}
    if spec is not None:
        values["aspect_ratio"] = str(spec.aspect_ratio)
        values["resolution"] = spec.resolution or NATIVE_RESOLUTION[spec.kind]
        values["seconds"] = str(spec.seconds or "")
    if generation.seed is not None:
        values["seed"] = str(generation.seed)
    inputs = [one.media_id for one in generation.inputs if one.role is not InputRole.SOURCE]
    found = [await doors.ingest.own(one, OPERATORS) for one in inputs]
    form = Form(values)
    built_on = next((one.media_id for one in generation.inputs if one.role is InputRole.SOURCE), None)
    if built_on is not None:
        form.values["source"] = built_on
    return Asked(
        form=form,
        model=choose_model(doors, generation.model),
        pictures=tuple(media for media in found if media is not None),
        source=await source_of(doors, form),
    )


async def source_of(doors: ConsoleDoors, form: Form) -> Media | None:
    """What the form builds on; what cannot be is noted in it."""
    wanted = form.value("source").strip()
    if not wanted:
        return None
    found = await doors.ingest.own(wanted, OPERATORS)
    if found is None or found.role is not MediaRole.RESULT:
        form.refuse("source", gettext("What is to be built on is not kept any more."))
        return None
    return found


async def _seconds_of(doors: ConsoleDoors, source: Media | None) -> int | None:
    if source is None or source.generation_id is None or source.kind is not MediaKind.VIDEO:
        return None
    try:
        return (await doors.results.get(source.generation_id, OPERATORS)).seconds
    except GenerationNotFoundError:
        return None


async def plan(doors: ConsoleDoors, asked: Asked) -> GenerationRequest | None:
    """The request that the form asks for; None when it cannot be, and the form says why."""
    model, form, source = asked.model, asked.form, asked.source if asked.model.builds else None
    prompt = form.value("prompt").strip()

    def plan_one(target: str) -> GenerationRequest:
        return plan_request(
            doors.catalog,
            model=target,
            kind=None,
            prompt=prompt,
            fields=asked.shape,
            pictures=asked.used_pictures,
            source=source,
            source_seconds=asked.source_seconds,
            text_values=True,
            parent_id=None if source is None else source.generation_id,
            door=PLAYGROUND,
        )

    try:
        if not model.enlarges:
            check_prompt(prompt)
        targets = doors.routes.targets(model.name)[: None if source is None else 1]
        return plan_route(targets, plan_one, name=model.name, is_strict=False)
    except RequestError as error:
        param = getattr(error, "param", "") or ""
        is_of_source = model.needs_source and param in ("image", "video")
        field = "source" if is_of_source else _FIELD_OF_PARAM.get(param, param if param in FIELDS else "")
        form.refuse(field, sentence_of(error))
        return None


async def _kept(doors: ConsoleDoors, form: Form) -> list[Media]:
    dropped = form.value("drop")
    found = [await doors.ingest.own(one, OPERATORS) for one in form.every("kept")[:MOST_PICTURES] if one != dropped]
    if any(one is None or one.kind is not MediaKind.IMAGE for one in found):
        form.refuse("pictures", gettext("A picture that was chosen before is not kept any more; choose it again."))
    return [one for one in found if one is not None and one.kind is MediaKind.IMAGE]


async def _take_in(doors: ConsoleDoors, form: Form, pictures: list[Media]) -> None:
    files: Sequence[object] = form.files("pictures")
    if len(files) + len(pictures) > MOST_PICTURES:
        form.refuse("pictures", gettext("No more than %(most)s pictures are taken.") % {"most": MOST_PICTURES})
        return
    for file in form.files("pictures"):
        try:
            pictures.append(await doors.ingest.from_bytes(await file.read(), OPERATORS, param="pictures"))
        except UnsupportedInputError as error:
            told = {"name": (file.filename or "")[:80], "reason": sentence_of(error)}
            form.refuse("pictures", gettext("%(name)s: %(reason)s") % told)
