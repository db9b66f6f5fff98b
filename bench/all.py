"""Every budget that is measured by hand, as one table. It takes about ten minutes; the machine should be quiet.

python bench/all.py [--quick]
"""

import argparse

import memory
import models
import pictures
import videos
from figures import Figure, table
from stage import machine


def measure(*, quick: bool) -> list[Figure]:
    """All rows, in order."""
    found = [
        *pictures.measure(pictures.parsed(["--rounds", "2", "--requests", "400", "--many", "1000"] if quick else [])),
        *models.measure(rounds=3 if quick else 7),
        *videos.measure(videos.parsed(["--videos", "200", "--streams", "40", "--duration", "10"] if quick else [])),
        *memory.measure(megabytes=50 if quick else 200, accounts=100 if quick else 1000),
    ]
    return sorted(found, key=lambda figure: int(figure.row))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller and rougher, in about two minutes")
    where = machine()
    found = measure(quick=parser.parse_args().quick)
    print(f"\n{where}\n\n{table(found)}")


if __name__ == "__main__":
    main()
