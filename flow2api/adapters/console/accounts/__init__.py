"""The accounts of the pool: the list with what can be done to many, and the page of one."""

from flow2api.adapters.console.accounts.controller import LIVE_ACCOUNTS, AccountsController
from flow2api.adapters.console.accounts.deleted import DeletedAccountsController
from flow2api.adapters.console.accounts.one_controller import LIVE_ACCOUNT, AccountController

__all__ = ["LIVE_ACCOUNT", "LIVE_ACCOUNTS", "AccountController", "AccountsController", "DeletedAccountsController"]
