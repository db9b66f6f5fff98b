"""What the page shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from markupsafe import Markup

from flow2api.adapters.console.forms import Form
from flow2api.adapters.console.language import LANGUAGES, gettext
from flow2api.adapters.console.passphrases import StrengthView, is_private
from flow2api.adapters.console.visit import Visit
from flow2api.domain.preferences import Density, Preferences
from flow2api.domain.second_factor import Enrolment, RecoveryCodes, SecondFactorStanding
from flow2api.domain.secret import Secret
from flow2api.domain.session import OperatorSession

_QR_BORDER = 2
_LONGEST_AGENT = 32

# The first mark that is found counts: most browsers say that they are others, too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class SessionView:
    """A time that somebody is signed in.

    Attributes:
        is_here: Whether it is the one that looks at this page.
        browser: What the client calls itself, in short; `agent` is all of it.
    """

    id: str
    is_here: bool
    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    address: str
    browser: str
    agent: str


@dataclass(frozen=True, slots=True)
class EnrolmentView:
    """A second factor that is to be taken over into an app, shown once.

    Attributes:
        picture: The address for the app as a QR code.
        secret: To be typed where no picture can be read, in groups of four.
    """

    picture: Markup
    secret: str


@dataclass(frozen=True, slots=True)
class You:
    """Who is signed in, and how.

    Attributes:
        enrolment: What was begun just now; None otherwise.
        wants_code: Whether a code has to confirm what was begun.
        recovery: Recovery codes, shown once.
    """

    name: str
    role: str
    passphrase_changed_at: datetime
    sessions: Sequence[SessionView]
    factor: SecondFactorStanding
    preferences: Preferences
    is_private: bool
    languages: Sequence[tuple[str, str]]
    densities: Sequence[tuple[str, str]]
    enrolment: EnrolmentView | None = None
    wants_code: bool = False
    recovery: Sequence[str] = ()
    strength: StrengthView = field(default_factory=StrengthView)


@dataclass(frozen=True, slots=True)
class YourForms:
    """The forms of the page; each keeps what was typed in it."""

    passphrase: Form = field(default_factory=Form)
    factor: Form = field(default_factory=Form)


async def look(
    visit: Visit,
    *,
    enrolment: Enrolment | None = None,
    wants_code: bool = False,
    recovery: RecoveryCodes = (),
    strength: StrengthView | None = None,
) -> You:
    """The page of who is signed in."""
    operator, doors = visit.here.operator, visit.doors
    sessions = await doors.sign_in.sessions_of(operator)
    return You(
        name=operator.name,
        role=_role_words()[operator.role.value],
        passphrase_changed_at=operator.passphrase_changed_at,
        sessions=[_session(one, visit.here.session) for one in sessions],
        factor=await doors.second_factor.standing(operator),
        preferences=operator.preferences,
        is_private=is_private(doors, visit.request),
        languages=[("", gettext("As the browser wishes")), *LANGUAGES.items()],
        densities=[
            (Density.COMFORTABLE.value, gettext("Comfortable")),
            (Density.COMPACT.value, gettext("Compact")),
        ],
        enrolment=None if enrolment is None else _enrolment(enrolment),
        wants_code=wants_code or enrolment is not None,
        recovery=[code.reveal() for code in recovery],
        strength=strength or StrengthView(),
    )


def qr_code(address: Secret) -> Markup:
    """An address as a picture that apps read; dark on light whatever the theme is, because cameras want it so."""
    import segno  # noqa: PLC0415 - hardly any page needs it

    made = segno.make(address.reveal(), error="m", micro=False)
    label = gettext("QR code with the secret for your app")
    svg = made.svg_inline(
        scale=4, border=_QR_BORDER, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True
    )
    # What is drawn is made of numbers alone.
    return Markup(svg.replace("<svg ", Markup('<svg role="img" aria-label="{}" ').format(label), 1))  # noqa: S704


def grouped(secret: str) -> str:
    """A secret in groups of four, as people type it."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def browser_words(agent: str) -> str:
    """What a client calls itself, as people would; the beginning of it where that is not known."""
    name = next((words for mark, words in _BROWSERS if mark in agent), "")
    system = next((words for mark, words in _SYSTEMS if mark in agent), "")
    if name and system:
        return gettext("%(browser)s on %(system)s") % {"browser": name, "system": system}
    return name or agent[:_LONGEST_AGENT]


def _enrolment(enrolment: Enrolment) -> EnrolmentView:
    return EnrolmentView(qr_code(enrolment.uri), grouped(enrolment.secret.reveal()))


def _session(one: OperatorSession, here: OperatorSession) -> SessionView:
    return SessionView(
        id=one.id,
        is_here=one.digest == here.digest,
        began_at=one.created_at,
        seen_at=one.seen_at,
        ends_at=one.expires_at,
        address=one.address or "",
        browser=browser_words(one.agent) or gettext("unknown"),
        agent=one.agent,
    )


def _role_words() -> dict[str, str]:
    return {"owner": gettext("Owner"), "operator": gettext("Operator"), "viewer": gettext("Viewer")}
