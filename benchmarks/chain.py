"""What a stage costs: the folded chain with 0, 1, 6 and 20 stages that do nothing, and what surrounds it.

Coroutines are driven by hand (`coroutine.send(None)`), so no event loop is in the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from benchmarks.targets import Bench, Work
from pipeline import Body, Handler, Payload, Request, Response, Stage, compose, compose_strict


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


REQUEST = Request("chat", model="small", payload=Payload.parse(b'{"model":"small","messages":[]}'), id="1")
RESPONSE = Response(Body.of(()))


async def terminal(request: Request) -> Response:
    return RESPONSE


def through(stages: int, fold: Callable[[Sequence[Stage], Handler], Handler] = compose) -> Work:
    """Work: a request through that many stages which do nothing."""
    handler: Callable[[Request], Any] = fold([Nothing()] * stages, terminal)
    return lambda: drive(handler(REQUEST))


def main() -> None:
    bench = Bench("chain.py: one request through the folded chain")
    costs = {n: bench.measure(f"chain of {n}", through(n)) for n in (0, 1, 6, 20)}
    for n in (1, 6, 20):
        bench.add(f"a stage, of {n}", (costs[n] - costs[0]) / n, target_ns=300)
    strict = bench.measure("strict chain of 6", through(6, compose_strict))
    bench.add("a stage, strict", (strict - costs[0]) / 6)
    bench.measure("Request.evolve, one field", lambda: REQUEST.evolve(model="large"))
    bench.report()


if __name__ == "__main__":
    main()
