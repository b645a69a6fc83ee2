"""docs/laws.md, made of the laws themselves: `python -m pipeline.testing.laws_page > docs/laws.md`."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.testing.chains.laws import CHAIN_LAWS, ChainLaw
from pipeline.testing.dialects.law import DialectLaw
from pipeline.testing.dialects.laws import DIALECT_LAWS
from pipeline.testing.law import Law
from pipeline.testing.laws import LAWS

_OPENING = """\
# The laws of a stage

Every stage that a gateway is made of keeps these, whoever wrote it.
`pytest --gatewright-stage acme.redact` tries them on hundreds of examples, smaller than real requests and nastier.

An example is the settings of the stage, a question and an answer, and what goes wrong with it and when.
The answer is scripted and the clock is virtual, so nothing here waits or depends on the machine.
A stage is called without an event loop as long as it awaits only what it was given; otherwise on asyncio and on trio.

Each kind is tried in a process of its own, so that none can hang pytest or end it.
An example that takes more than ten seconds of that process's own time is told with the place where it was.
One that ends the process is told too.
The other laws of that kind are not tried then, and the next kind is.
A busy machine costs nothing: time in which others were served is not counted.
For an example that needs more there is `--gatewright-patience SECONDS`, and for a debugger `--gatewright-in-process`.

A law that a stage has nothing to keep of, by what it declares in `@stage`, is skipped with the reason.
One that is known to be broken goes into a file, a line each, and `--gatewright-xfail FILE` expects it to fail:

```text skip: a file of your own
acme.redact L7  # words over more than two events, issue 12
```

What the kit cannot know of a stage, such as values for slots of its own, its author says in an `Arrangement`.
The stage names it as `conformance = "acme_redact.conformance:ARRANGEMENT"`, and only tests import it.
"""


_DIALECTS = """\
# The laws of a dialect

A wire protocol is a dialect, and `pytest --gatewright-dialect acme` tries these on the one that you bring.
What its requests and answers look like, and what they mean, is told by its `pipeline.Conformance`.
The dialect names that as `conformance = "acme.conformance:AcmeConformance"`, and only tests import it.

Nothing in a dialect waits, so there is neither a network nor an event loop.
"""


_CHAINS = """\
# The laws of a chain

What stages keep one by one a whole gateway keeps too, and this is tried on the config file that you serve:
`pytest --gatewright-config gateways.yaml` builds it as it is, with stand-ins for the model servers and the keys.
A catalogue that asks upstreams asks those stand-ins, and resolves names as it does when it serves.
Each example runs on asyncio and on trio.
No variable of the environment need be set.
"""


def page() -> str:
    stages = [line for law in LAWS for line in _section(law, on_loops=law.on_loops)]
    dialects = [line for law in DIALECT_LAWS for line in _section(law)]
    chains = [line for law in CHAIN_LAWS for line in _section(law)]
    return "\n".join([_OPENING, *stages, _DIALECTS, *dialects, _CHAINS, *chains])


def _section(law: Law | DialectLaw | ChainLaw, *, on_loops: bool = False) -> Iterator[str]:
    yield f"## {law.id} {law.title}"
    yield ""
    yield from _sentences(law.text)
    if on_loops:
        yield "It is always tried on the event loops too."
    yield ""


def _sentences(text: str) -> Iterator[str]:
    """One a line, as in all pages."""
    rest = " ".join(text.split())
    while rest:
        sentence, stop, rest = rest.partition(". ")
        yield sentence + stop.strip()


if __name__ == "__main__":
    print(page().rstrip())
