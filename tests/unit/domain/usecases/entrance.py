"""Everything at the doors of operators over a storage in memory."""

from dataclasses import dataclass, field

from flow2api.domain.operator import Operator
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.change_preferences import ChangePreferences
from flow2api.domain.usecases.confirm_passphrase import ConfirmPassphrase
from flow2api.domain.usecases.count_tries import CountTries
from flow2api.domain.usecases.manage_operators import ManageOperators
from flow2api.domain.usecases.manage_second_factor import ManageSecondFactor
from flow2api.domain.usecases.offer_setup import OfferSetup
from flow2api.domain.usecases.set_up import SetUp
from flow2api.domain.usecases.sign_in import SignIn
from flow2api.domain.visitor import SignedIn, Visitor
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.passphrases import FakeMeter, FakePassphrases
from flow2api.testing.fakes.second_factors import FakeOneTimeCodes
from flow2api.testing.fakes.secrets import FakeCipher
from flow2api.testing.fakes.storage import FakeStorage
from tests.unit.domain.usecases.stage import CountingIds

GOOD = Secret("quiet maple river lamp")
WRONG = Secret("quiet maple river lamb")
HERE = Visitor("console", "192.0.2.7", "curl/8", "req_1")
ELSEWHERE = Visitor("console", "198.51.100.9")


@dataclass
class Entrance:
    """The use cases of who comes in; tests look into the storage behind them."""

    clock: FakeClock = field(default_factory=FakeClock)
    storage: FakeStorage = field(init=False)
    passphrases: FakePassphrases = field(default_factory=FakePassphrases)
    codes: FakeOneTimeCodes = field(default_factory=FakeOneTimeCodes)

    def __post_init__(self) -> None:
        self.storage = storage = FakeStorage(self.clock)
        self.tables = storage.tables
        cipher, log = FakeCipher(), storage.audit_log
        self.manage = ManageOperators(storage.operators, self.passphrases, FakeMeter({"short river": 9.0}), self.clock)
        tries = CountTries(storage.sessions, storage.sign_in_tries, log, cipher, self.clock)
        confirm = ConfirmPassphrase(tries, self.passphrases, log, self.clock)
        self.second_factor = ManageSecondFactor(storage.second_factors, self.codes, confirm, log, cipher, self.clock)
        self.sign_in = SignIn(
            storage.operators,
            storage.sessions,
            tries,
            confirm,
            self.second_factor,
            log,
            self.manage,
            self.passphrases,
            cipher,
            CountingIds(),
            self.clock,
        )
        self.offer = OfferSetup(storage.operators, storage.setup_codes, cipher, self.clock)
        self.set_up = SetUp(self.offer, self.manage, self.sign_in, tries, log, self.clock)
        self.preferences = ChangePreferences(storage.operators, self.clock)

    async def come_in(self, name: str = "ada", visitor: Visitor = HERE, code: Secret | None = None) -> SignedIn:
        here, _ = await self.sign_in(name, GOOD, visitor, code)
        return here

    async def operator(self, name: str = "ada") -> Operator:
        return await self.manage.create(name, GOOD)

    @property
    def actions(self) -> list[str]:
        return [entry.action for entry in self.tables.audit]
