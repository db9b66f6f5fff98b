"""Which models there are, and what exactly a public name together with parameters asks for."""

from flow2api.domain.catalog.description import ModelDescription
from flow2api.domain.catalog.entries import Alias, BaseName, CostUnit, Entry, Masks, Mode, ModelSpec, Resolution, Wish
from flow2api.domain.catalog.model_catalog import ModelCatalog
from flow2api.domain.catalog.model_routes import ModelRoutes, check_routes
from flow2api.domain.catalog.shapes import (
    FOUR_THREE,
    LANDSCAPE,
    NATIVE_RESOLUTION,
    PORTRAIT,
    QUALITIES,
    SQUARE,
    THREE_FOUR,
    AspectRatio,
    Size,
    ratio_distance,
)

__all__ = [
    "FOUR_THREE",
    "LANDSCAPE",
    "NATIVE_RESOLUTION",
    "PORTRAIT",
    "QUALITIES",
    "SQUARE",
    "THREE_FOUR",
    "Alias",
    "AspectRatio",
    "BaseName",
    "CostUnit",
    "Entry",
    "Masks",
    "Mode",
    "ModelCatalog",
    "ModelDescription",
    "ModelRoutes",
    "ModelSpec",
    "Resolution",
    "Size",
    "Wish",
    "check_routes",
    "ratio_distance",
]
