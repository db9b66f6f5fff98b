"""The built-in plugins; they use the same hooks as everybody else's."""
