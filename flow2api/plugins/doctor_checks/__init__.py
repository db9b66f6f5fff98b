"""What the doctor looks at in every installation."""

from collections.abc import Awaitable, Callable, Iterable

from flow2api.domain.usecases.diagnose import (
    Check,
    Finding,
    look_at_accounts,
    look_at_clock,
    look_at_coordination,
    look_at_keys,
    look_at_media,
    look_at_schema,
    look_at_storage,
)
from flow2api.hookspecs import DoctorCheck, Examined, hookimpl
from flow2api.plugins.doctor_checks.chosen import look_at_base_urls, look_at_models, look_at_options, look_at_proxies
from flow2api.plugins.doctor_checks.surroundings import (
    look_at_console,
    look_at_data_folder,
    look_at_file_limit,
    look_at_media_folder,
    look_at_public_address,
    look_at_secret_key,
)


@hookimpl
def register_doctor_checks() -> Iterable[DoctorCheck]:
    """In the order in which they are told: what stands around the database first."""
    return [
        DoctorCheck(name="data folder", look=look_at_data_folder),
        DoctorCheck(name="media folder", look=look_at_media_folder),
        DoctorCheck(name="secret key", look=look_at_secret_key),
        DoctorCheck(name="public address", look=look_at_public_address),
        DoctorCheck(name="console", look=look_at_console),
        DoctorCheck(name="open files", look=look_at_file_limit),
        DoctorCheck(name="clock", look=_by(lambda examined: look_at_clock(examined.clock))),
        _of_database("database file", lambda examined: look_at_schema(examined.backends().storage)),
        _of_database("database writes", lambda examined: look_at_storage(examined.backends().storage)),
        DoctorCheck(name="options", look=look_at_options, needs="database"),
        DoctorCheck(name="proxies", look=look_at_proxies, needs="database"),
        _of_database("accounts", lambda examined: look_at_accounts(examined.backends().storage, examined.clock)),
        DoctorCheck(name="base URLs", look=look_at_base_urls, needs="database"),
        _of_database("API keys", lambda examined: look_at_keys(examined.backends().storage)),
        DoctorCheck(
            name="media store", look=_by(lambda examined: look_at_media(examined.backends().store)), needs="backends"
        ),
        DoctorCheck(
            name="coordination",
            look=_by(lambda examined: look_at_coordination(examined.backends().coordination)),
            needs="backends",
        ),
        DoctorCheck(name="models", look=look_at_models, needs="backends"),
    ]


def _of_database(name: str, made: Callable[[Examined], Check]) -> DoctorCheck:
    return DoctorCheck(name=name, look=_by(made), needs="database")


def _by(made: Callable[[Examined], Check]) -> Callable[[Examined], Awaitable[Finding | None]]:
    async def look(examined: Examined) -> Finding | None:
        return await made(examined).look()

    return look
