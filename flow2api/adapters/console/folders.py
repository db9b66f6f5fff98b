"""Where the files of the pages are: inside the package once it is installed, beside it in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]


def template_folder() -> Path:
    """The templates."""
    return _folder("templates")


def static_folder() -> Path:
    """Style sheets, scripts and icons."""
    return _folder("static")


def locale_folder() -> Path:
    """The words in other languages than English."""
    return _folder("locale")


def _folder(name: str) -> Path:
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
