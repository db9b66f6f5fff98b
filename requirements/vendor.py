"""Brings the scripts of others that the console ships, and writes down what they are; nothing else downloads them.

python requirements/vendor.py              fetch the versions that static/VENDOR.toml names
python requirements/vendor.py htmx.org 4.0.2   the same with another version of one package
"""

import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

_STATIC = Path(__file__).resolve().parents[1] / "static"
_LIST = _STATIC / "VENDOR.toml"


def main(arguments: list[str]) -> None:
    """Fetch every file of the list with the ordinary client of its registry."""
    text = _LIST.read_text(encoding="utf-8")
    if arguments:
        package, version = arguments
        text = re.sub(rf'(package = "{re.escape(package)}"\nversion = )"[^"]*"', rf'\g<1>"{version}"', text)
    for entry in tomllib.loads(text)["file"]:
        content = _fetched(entry["package"], entry["version"], entry["source"])
        (_STATIC / entry["path"]).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        text = re.sub(
            rf'(path = "{re.escape(entry["path"])}"(?:\n[^\n]+)*?\nsha256 = )"[^"]*"', rf'\g<1>"{digest}"', text
        )
        print(f"{entry['path']}: {entry['package']} {entry['version']}, {len(content)} bytes")
    _LIST.write_text(text, encoding="utf-8")


def _fetched(package: str, version: str, source: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"{package}@{version}"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        archive = next(Path(folder).glob("*.tgz"))
        with tarfile.open(archive) as packed:
            member = packed.extractfile(f"package/{source}")
            if member is None:
                raise SystemExit(f"{package} {version} has no {source}.")
            return member.read()


if __name__ == "__main__":
    main(sys.argv[1:])
