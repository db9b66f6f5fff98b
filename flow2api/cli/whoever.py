"""Who works on the command line, for the audit log."""

import getpass

from flow2api.domain.audit import Actor


def whoever() -> Actor:
    """The user of this machine that runs the command."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number that has no name
        name = "somebody"
    return Actor(name=name[:64], door="command_line")
