"""The gateways that are measured side by side, one file each."""

from benchmarks.gateway.peers.bare import Bare
from benchmarks.gateway.peers.direct import Direct
from benchmarks.gateway.peers.ferro import Ferro
from benchmarks.gateway.peers.gatewright import VARIANTS
from benchmarks.gateway.peers.litellm import LiteLLM
from benchmarks.gateway.peers.nginx import Nginx
from benchmarks.gateway.peers.peer import Peer
from benchmarks.gateway.peers.portkey import Portkey
from benchmarks.gateway.peers.tensorzero import TensorZero

_ALL: tuple[Peer, ...] = (Direct(), Nginx(), Bare(), *VARIANTS, TensorZero(), Ferro(), Portkey(), LiteLLM())
PEERS: dict[str, Peer] = {peer.name: peer for peer in _ALL}
"""By name, in the order in which reports show them: the floors, ours, the others."""
