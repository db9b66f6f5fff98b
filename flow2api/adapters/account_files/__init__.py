"""Accounts as files: what imports take in and exports write, as JSON, as a table, or as plain lines."""

from flow2api.adapters.account_files.formats import (
    AUTO,
    CSV,
    FORMATS,
    JSON,
    LINES,
    AccountWriter,
    format_of,
    read_accounts,
)
from flow2api.adapters.account_files.rows import MOST_BYTES, MOST_ROWS, compose_rows
from flow2api.adapters.account_files.tables import write_table

__all__ = [
    "AUTO",
    "CSV",
    "FORMATS",
    "JSON",
    "LINES",
    "MOST_BYTES",
    "MOST_ROWS",
    "AccountWriter",
    "compose_rows",
    "format_of",
    "read_accounts",
    "write_table",
]
