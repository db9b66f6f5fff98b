"""What this server is asked to see whether clients get on with it, and what it should answer."""
