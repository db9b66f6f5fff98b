"""``python -m flow2api``."""

from flow2api.cli import main

if __name__ == "__main__":
    main()
