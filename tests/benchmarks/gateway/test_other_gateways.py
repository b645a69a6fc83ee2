"""What the other gateways are started with is what they can read, and says of each model what ours says. None is
installed for that, and none started."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from benchmarks.gateway.agreed import ALIASES, CLIENT_KEY, ORIGIN_KEY
from benchmarks.gateway.peers import PEERS
from benchmarks.gateway.peers.environment import PINNED
from benchmarks.gateway.peers.peer import Place, port_file, port_of
from benchmarks.gateway.peers.portkey import Portkey

ORIGIN = "http://127.0.0.1:4001/v1"
OTHERS = ("tensorzero", "ferro", "portkey", "litellm")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(port=4000, origin_port=4001, folder=tmp_path)


def test_litellm_reads_the_key_and_every_model(place: Place) -> None:
    peer = PEERS["litellm"]
    command = list(peer.command(place))
    assert command[command.index("--port") + 1] == "4000"
    config = yaml.safe_load(Path(command[command.index("--config") + 1]).read_text())
    assert config["general_settings"] == {"master_key": CLIENT_KEY}
    models = {model["model_name"]: model["litellm_params"] for model in config["model_list"]}
    assert models == {
        peer.model(alias): {"model": f"openai/{name}", "api_base": ORIGIN, "api_key": ORIGIN_KEY}
        for alias, name in ALIASES.items()
    }


def test_tensorzero_reads_every_model_and_knows_where_the_key_is(place: Place) -> None:
    peer = PEERS["tensorzero"]
    file = next(Path(part) for part in peer.command(place) if part.endswith(".toml"))
    config = tomllib.loads(file.read_text())
    assert config["gateway"] == {"observability": {"enabled": False}, "auth": {"enabled": False}}
    assert {f"tensorzero::model_name::{name}" for name in config["models"]} == set(map(peer.model, ALIASES))
    for alias, name in ALIASES.items():
        model = config["models"][alias]
        provider = model["providers"][model["routing"][0]]
        assert (provider["type"], provider["model_name"], provider["api_base"]) == ("openai", name, ORIGIN)
        assert peer.environment(place)[provider["api_key_location"].removeprefix("env::")] == ORIGIN_KEY


def test_tensorzero_is_found_where_it_says_it_is_and_not_before_it_says_so(place: Place) -> None:
    command = list(PEERS["tensorzero"].command(place))
    assert port_of(place) == place.port
    assert command[-1] == str(port_file(place))
    port_file(place).touch()  # it is about to be written
    assert port_of(place) == place.port
    port_file(place).write_text("4711")
    assert port_of(place) == 4711


def test_what_starts_tensorzero_is_python_and_finds_the_package_rather_than_the_file_of_its_name(place: Place) -> None:
    _, isolated, option, program, *_ = PEERS["tensorzero"].command(place)
    assert (isolated, option) == ("-I", "-c")
    compile(program, "program", "exec")


def test_ferro_reads_every_model_and_finds_the_rest_in_its_environment(place: Place) -> None:
    peer = PEERS["ferro"]
    peer.command(place)
    told = peer.environment(place)
    config = yaml.safe_load(Path(told["GATEWAY_CONFIG"]).read_text())
    assert config["aliases"] == {peer.model(alias): name for alias, name in ALIASES.items()}
    (target,) = config["targets"]
    provider = target["virtual_key"].upper()
    assert (told[f"{provider}_BASE_URL"], told[f"{provider}_API_KEY"]) == (ORIGIN, ORIGIN_KEY)
    assert (told["PORT"], told["MASTER_KEY"]) == ("4000", CLIENT_KEY)


def test_portkey_reads_a_target_for_each_model_in_a_header_field(place: Place) -> None:
    peer = Portkey()
    assert "--port=4000" in peer.command(place)
    headers = peer.headers()
    assert all(re.fullmatch(r"[\x20-\x7e]+", value) for value in headers.values())
    config = json.loads(headers["x-portkey-config"])
    assert config["strategy"]["mode"] == "conditional"
    targets = {target["name"]: target for target in config["targets"]}
    chosen = {
        condition["query"]["params.model"]["$eq"]: targets[condition["then"]]
        for condition in config["strategy"]["conditions"]
    }
    assert {model: target["override_params"]["model"] for model, target in chosen.items()} == {
        peer.model(alias): name for alias, name in ALIASES.items()
    }
    assert {(target["custom_host"], target["api_key"]) for target in chosen.values()} == {(ORIGIN, ORIGIN_KEY)}


def test_portkey_of_another_place_is_told_of_another_origin(place: Place, tmp_path: Path) -> None:
    peer = Portkey()
    peer.command(place)
    peer.command(Place(port=4000, origin_port=4002, folder=tmp_path))
    assert "4002" in peer.headers()["x-portkey-config"]
    assert "4001" not in peer.headers()["x-portkey-config"]


@pytest.mark.parametrize("name", OTHERS)
def test_the_version_is_known_from_the_pins_alone(name: str) -> None:
    assert re.match(r"\d+\.\d+\.\d+, ", PEERS[name].version())


@pytest.mark.parametrize("file", sorted(PINNED.glob("*.txt")), ids=lambda file: file.stem)
def test_every_package_is_pinned_to_a_version_and_to_hashes(file: Path) -> None:
    lines = [line for line in file.read_text().replace("\\\n", "").splitlines() if not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}$", line), line


def test_every_npm_package_is_pinned_to_a_hash_and_the_one_that_breaks_streams_is_held_back() -> None:
    locked = json.loads((PINNED / "package-lock.json").read_text())["packages"]
    wanted = json.loads((PINNED / "package.json").read_text())
    assert all(package["integrity"].startswith("sha512-") for name, package in locked.items() if name)
    for name, version in {**wanted["dependencies"], **wanted["overrides"]}.items():
        found = [package["version"] for path, package in locked.items() if path.endswith(f"node_modules/{name}")]
        assert found == [version]
