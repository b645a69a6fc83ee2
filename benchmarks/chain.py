"""What a stage costs: the folded chain with 0, 1, 6 and 20 stages that do nothing, and what surrounds it.

Coroutines are driven by hand (`coroutine.send(None)`), so no event loop is in the figures.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from benchmarks.targets import Bench, Work
from pipeline import Body, Handler, Payload, Request, Response, compose, compose_strict


def drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("this coroutine waits for something")


class Nothing:
    """The least a stage can do."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        return await call_next(request)


def main() -> None:
    request = Request("chat", model="small", payload=Payload.parse(b'{"model":"small","messages":[]}'), id="1")
    response = Response(Body.of(()))

    async def terminal(request: Request) -> Response:
        return response

    def called(composed: Handler) -> Work:
        return lambda: drive(composed(request))  # type: ignore[arg-type]  # every handler is a coroutine function here

    bench = Bench("chain.py: one request through the folded chain")
    costs = {n: bench.measure(f"chain of {n}", called(compose([Nothing()] * n, terminal))) for n in (0, 1, 6, 20)}
    for n in (1, 6, 20):
        bench.add(f"a stage, of {n}", (costs[n] - costs[0]) / n, target_ns=300)
    strict = bench.measure("strict chain of 6", called(compose_strict([Nothing()] * 6, terminal)))
    bench.add("a stage, strict", (strict - costs[0]) / 6)
    bench.measure("Request.evolve, one field", lambda: request.evolve(model="large"))
    bench.report()


if __name__ == "__main__":
    main()
