"""What is fixed while the server runs, as it is shown."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StartUpSetting:
    """A start-up setting as it stands, without secrets.

    Attributes:
        name: As it stands in the file; what is in a section has the section's name and a point before it.
        value: In words of the file; of a secret only that there is one.
        is_default: Whether it is what it is without being set.
        origin: The variable, the file or the command line that it comes from; empty when nothing sets it.
    """

    name: str
    value: str
    is_default: bool
    origin: str = ""
