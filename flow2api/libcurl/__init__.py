"""What libcurl's numbers and texts mean, for every adapter that calls through it. Pure."""
