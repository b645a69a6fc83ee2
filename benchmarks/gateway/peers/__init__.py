"""The gateways that are measured side by side, one file each."""

from benchmarks.gateway.peers.bare import Bare
from benchmarks.gateway.peers.direct import Direct
from benchmarks.gateway.peers.gatewright import VARIANTS
from benchmarks.gateway.peers.nginx import Nginx
from benchmarks.gateway.peers.peer import Peer

_ALL: tuple[Peer, ...] = (Direct(), Nginx(), Bare(), *VARIANTS)
PEERS: dict[str, Peer] = {peer.name: peer for peer in _ALL}
"""By name, in the order in which reports show them: the floors, ours, the others."""
