"""What a request costs from a client's bytes to an upstream's: read, renamed or translated, and written.

The two dialects both ways, for a short chat and for one with a long history. Pure functions: no chain, no loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.gateway.bodies import body
from benchmarks.gateway.scenarios import Size
from benchmarks.targets import Bench
from pipeline import Dialect, Losses, NeutralRequest, Payload, Request, Target
from stages.dialects.ollama.dialect import Ollama
from stages.dialects.openai.dialect import OpenAI

OPENAI, OLLAMA = OpenAI(), Ollama()
SIZES: Mapping[Size, str] = {"1k": "1 KB", "history-200k": "200 KB"}
TARGET = Target("there", "llama3.2")


def received(dialect: Dialect, sent: bytes) -> Request:
    """The bytes as the client face reads them."""
    asked = dialect.decode_request("chat", sent, "")
    return Request("chat", model=asked.model, payload=asked.payload, dialect=dialect.name, stream=asked.stream)


def forwarded(dialect: Dialect, sent: bytes) -> bytes:
    """What an upstream of the same dialect is sent: another model's name, everything else as it came."""
    request = received(dialect, sent)
    return dialect.encode_request(request.evolve(payload=dialect.rename(request, TARGET.model))).body


def translated(client: Dialect, upstream: Dialect, sent: bytes) -> bytes:
    """What an upstream of the other dialect is sent."""
    request = received(client, sent)
    losses = Losses()
    asked = client.read(request, losses)
    if not isinstance(asked, NeutralRequest):
        raise RuntimeError("the request needs no upstream")
    (call,) = upstream.write(asked, TARGET, losses, profile=upstream.profiles[0])
    return upstream.encode_request(request.evolve(operation=call.operation, payload=Payload(call.payload))).body


def works(size: Size) -> dict[str, Callable[[], bytes]]:
    """What is measured for one size of request, by name."""
    openai, ollama = body("openai", size, "small", True), body("ollama", size, "small", True)
    return {
        "OpenAI, forwarded": lambda: forwarded(OPENAI, openai),
        "Ollama, forwarded": lambda: forwarded(OLLAMA, ollama),
        "OpenAI to Ollama": lambda: translated(OPENAI, OLLAMA, openai),
        "Ollama to OpenAI": lambda: translated(OLLAMA, OPENAI, ollama),
    }


def main() -> None:
    bench = Bench("request.py: a chat request, from the client's bytes to the upstream's")
    for size, name in SIZES.items():
        for what, work in works(size).items():
            bench.measure(f"{name}: {what}", work)
    bench.report()


if __name__ == "__main__":
    main()
