"""What several processes share."""

from flow2api.domain.errors.base import Flow2ApiError


class CoordinationError(Flow2ApiError):
    """The processes of this gateway cannot agree now on slots and limits; nothing was begun."""

    code = "coordination_unavailable"
