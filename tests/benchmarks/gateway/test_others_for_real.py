"""The other gateways, where `make bench-setup` has installed them, do what ours do before the same origin."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from benchmarks.gateway.bodies import body
from benchmarks.gateway.check import wrong
from benchmarks.gateway.peers import PEERS
from benchmarks.gateway.scenarios import SCENARIOS
from benchmarks.gateway.servers import origin, running

# The start of LiteLLM alone may take four minutes where the machine is busy.
pytestmark = [pytest.mark.wire, pytest.mark.thorough, pytest.mark.timeout(360)]


@pytest.fixture(scope="module")
def behind() -> Iterator[tuple[int, int]]:
    with origin() as it:
        yield it


@pytest.mark.parametrize("name", ["tensorzero", "ferro", "portkey", "litellm"])
def test_it_answers_every_scenario_as_the_origin_does_and_checks_keys_unless_it_says_that_it_does_not(
    behind: tuple[int, int], name: str
) -> None:
    peer = PEERS[name]
    if not peer.installed():
        pytest.skip(f"{name} is not installed")
    with running(peer, *behind) as it:
        assert {s: wrong(peer, it.port, SCENARIOS[s]) for s in peer.scenarios} == dict.fromkeys(peer.scenarios)
        connection = http.client.HTTPConnection("127.0.0.1", it.port, timeout=60)
        sent = body(peer.dialect, "1k", peer.model("chat-1k"), False)
        headers = {**peer.headers(), "content-type": "application/json", "authorization": "Bearer sk-wrong"}
        connection.request("POST", peer.path(), sent, headers)
        assert (connection.getresponse().status == 200) == ("no key check" in peer.version())
        connection.close()
        installed = peer.installed_mb()
        assert installed is not None
        assert installed > 10
