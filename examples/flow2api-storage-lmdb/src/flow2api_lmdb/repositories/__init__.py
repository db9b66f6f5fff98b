"""One repository of the port each."""
