"""The database refuses."""

from flow2api.domain.errors.base import Flow2ApiError


class StorageError(Flow2ApiError):
    """The database refused."""

    code = "storage_error"


class StorageBusyError(StorageError):
    """The database stayed locked longer than we wait."""

    code = "storage_busy"


class StorageFullError(StorageError):
    """There is no room left for the database or the media."""

    code = "storage_full"
