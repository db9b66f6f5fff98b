"""How accounts come in and go out: one by one, many at once, as a file, or by the browser extension."""

from flow2api.adapters.console.account_moves.adding import AddAccountController
from flow2api.adapters.console.account_moves.exporting import ExportController
from flow2api.adapters.console.account_moves.extension import ExtensionController
from flow2api.adapters.console.account_moves.importing import LIVE_IMPORT, ImportController

__all__ = ["LIVE_IMPORT", "AddAccountController", "ExportController", "ExtensionController", "ImportController"]
