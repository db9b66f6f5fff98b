"""Where the templates are, and how they are rendered."""

from pathlib import Path

import jinja2
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template.config import TemplateConfig

_PACKAGE = Path(__file__).resolve().parents[2]


def template_folder() -> Path:
    """Inside the package once it is installed, beside it in a checkout."""
    return _folder("templates")


def static_folder() -> Path:
    """Where style sheets and other assets are."""
    return _folder("static")


def _folder(name: str) -> Path:
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def template_config() -> TemplateConfig[JinjaTemplateEngine]:
    """Every value is escaped, and a missing one is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folder()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment))
