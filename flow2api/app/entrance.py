"""How operators come in, and who they are."""

from dataclasses import dataclass

from flow2api.domain.ports.second_factors import OneTimeCodes
from flow2api.domain.ports.secrets import Cipher, PassphraseMeter, Passphrases
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock, Ids
from flow2api.domain.usecases.change_preferences import ChangePreferences
from flow2api.domain.usecases.confirm_passphrase import ConfirmPassphrase
from flow2api.domain.usecases.count_tries import CountTries
from flow2api.domain.usecases.drop_second_factor import DropSecondFactor
from flow2api.domain.usecases.manage_operators import ManageOperators
from flow2api.domain.usecases.manage_second_factor import ManageSecondFactor
from flow2api.domain.usecases.offer_setup import OfferSetup
from flow2api.domain.usecases.set_up import SetUp
from flow2api.domain.usecases.sign_in import SignIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """The use cases of operators who come in, and of the operators themselves."""

    operators: ManageOperators
    sign_in: SignIn
    second_factor: ManageSecondFactor
    drop_second_factor: DropSecondFactor
    offer_setup: OfferSetup
    set_up: SetUp
    preferences: ChangePreferences


def build_entrance(
    storage: Storage,
    cipher: Cipher,
    passphrases: Passphrases,
    meter: PassphraseMeter,
    codes: OneTimeCodes,
    ids: Ids,
    clock: Clock,
) -> Entrance:
    """All of them over this storage."""
    audit, sessions = storage.audit_log, storage.sessions
    operators = ManageOperators(storage.operators, passphrases, meter, clock)
    tries = CountTries(sessions, storage.sign_in_tries, audit, cipher, clock)
    confirm = ConfirmPassphrase(tries, passphrases, audit, clock)
    second_factor = ManageSecondFactor(storage.second_factors, codes, confirm, audit, cipher, clock)
    sign_in = SignIn(
        storage.operators, sessions, tries, confirm, second_factor, audit, operators, passphrases, cipher, ids, clock
    )
    offer_setup = OfferSetup(storage.operators, storage.setup_codes, cipher, clock)
    return Entrance(
        operators=operators,
        sign_in=sign_in,
        second_factor=second_factor,
        drop_second_factor=DropSecondFactor(operators, storage.second_factors),
        offer_setup=offer_setup,
        set_up=SetUp(offer_setup, operators, sign_in, tries, audit, clock),
        preferences=ChangePreferences(storage.operators, clock),
    )
