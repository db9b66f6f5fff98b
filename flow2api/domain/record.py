"""Immutable records that change often."""

from typing import Any, ClassVar, Self


class Record:
    """Base of a frozen dataclass without slots, of which changed copies are made several times for each picture.

    `dataclasses.replace` takes ten times as long, and slots, which cannot be copied at once, would take three times as
    long.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def changed(self, **changes: object) -> Self:
        """With other values in these fields.

        Raises:
            TypeError: There is no such field.
        """
        if not changes.keys() <= self.__dataclass_fields__.keys():
            unknown = sorted(changes.keys() - self.__dataclass_fields__.keys())
            raise TypeError(f"a {type(self).__name__} has no {', '.join(unknown)}")
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made.__dict__.update(changes)
        return made
