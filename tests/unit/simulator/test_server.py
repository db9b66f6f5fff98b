import json
from pathlib import Path

import msgspec
import pytest

from flow2api.simulator.__main__ import main
from flow2api.simulator.control_schema import ReadyFile
from flow2api.simulator.server import SimulatorStartError, announce, bind


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.com", "::"])
def test_refuses_to_listen_beyond_the_loopback(host: str) -> None:
    with pytest.raises(SimulatorStartError, match="loopback only"):
        bind(host, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.9"])
def test_listens_on_the_loopback(host: str) -> None:
    with bind(host, 0) as listener:
        assert listener.getsockname()[1] > 0


def test_says_when_a_port_is_taken() -> None:
    with bind("127.0.0.1", 0) as listener:
        listener.listen()
        with pytest.raises(SimulatorStartError, match="choose another"):
            bind("127.0.0.1", listener.getsockname()[1])


def test_the_ready_file_appears_whole(tmp_path: Path) -> None:
    ready = ReadyFile(base_url="http://x", labs_base_url="http://x/fx/api", api_base_url="http://x/v1")
    announce(tmp_path / "ready.json", ready)
    assert msgspec.json.decode((tmp_path / "ready.json").read_bytes(), type=ReadyFile) == ready
    assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]


@pytest.mark.parametrize(
    "arguments",
    [["--host", "0.0.0.0"], ["--options", "{folder}/bad.json"], ["--accounts", "{folder}/missing.json"]],
)
def test_ends_with_one_sentence_when_it_can_not_start(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.json").write_text(json.dumps({"era": "1999"}))
    assert main(["--port", "0", *(word.format(folder=tmp_path) for word in arguments)]) == 2
    assert capsys.readouterr().err.startswith("flow2api.simulator: ")
