"""The tables of what becomes of a field, an error and an answer between two dialects, made of the code's own tables.

A dialect's `READS` say what its clients' fields mean, the other's `WRITES` where that is told an upstream. The way of a
field is their join on the meaning; what nobody writes is lost, by the rule of its meaning. The errors are not read from
a table but made and worded by the dialects themselves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import get_args

from docs.markdown import table
from pipeline import Dialect, GatewayError, Headers, IfLost
from stages.dialects.ollama import table as ollama
from stages.dialects.ollama.dialect import Ollama
from stages.dialects.openai import table as openai
from stages.dialects.openai.dialect import OpenAI
from stages.dialects.table import Meaning, Reads, Writes
from stages.transform.stage import Emulation

_POLICY = {IfLost.REJECT: "reject", IfLost.WARN: "warn", IfLost.DROP: "drop"}

# What a server of the other dialect may be asked instead. A prompt that is not raw is a chat there (protocol.md 3.5).
_ASKED_AS = {
    ("ollama", "completion"): ("chat", "completion"),
    ("ollama", "embedding.single"): ("embedding",),
}
_TITLES = {
    ("openai", "chat"): "`POST /v1/chat/completions`",
    ("openai", "completion"): "`POST /v1/completions`",
    ("openai", "embedding"): "`POST /v1/embeddings`",
    ("ollama", "chat"): "`POST /api/chat`",
    ("ollama", "completion"): "`POST /api/generate`",
    ("ollama", "embedding"): "`POST /api/embed`",
    ("ollama", "embedding.single"): "`POST /api/embeddings`",
}


def to_ollama() -> str:
    """OpenAI's clients in front of an Ollama server."""
    return _direction(OpenAI(), openai.READS, Ollama(), ollama.WRITES)


def to_openai() -> str:
    """Ollama's clients in front of a server that speaks OpenAI's API."""
    return _direction(Ollama(), ollama.READS, OpenAI(), openai.WRITES)


def asked_as(dialect: str, operation: str) -> tuple[str, ...]:
    """What a client's operation may be in the other dialect."""
    return _ASKED_AS.get((dialect, operation), (operation,))


def _direction(client: Dialect, reads: Sequence[Reads], server: Dialect, writes: Sequence[Writes]) -> str:
    parts: list[str] = []
    for (dialect, operation), title in _TITLES.items():
        if dialect == client.name:
            told = [row for row in writes if set(row.operations) & set(asked_as(dialect, operation))]
            parts += [
                f"#### {title}\n",
                _fields([read for read in reads if operation in read.operations], told, server),
            ]
    return "\n".join(parts)


def _fields(reads: Sequence[Reads], writes: Sequence[Writes], server: Dialect) -> str:
    """A row for all fields of one fate: many a hint is dropped, and an option may be said in several places."""
    fates: dict[tuple[str, ...], list[str]] = {}
    for read in reads:
        field = "any other" if read.field == "*" else f"`{read.field}`"
        fates.setdefault(_fate(read, [row for row in writes if row.means is read.means], server), []).append(field)
    rows = [(", ".join(fields), *fate) for fate, fields in fates.items()]
    return table(("field", "means", "written as", "loss", "policy"), rows)


def _fate(read: Reads, writes: Sequence[Writes], server: Dialect) -> tuple[str, ...]:
    if read.means is None:
        loss = f"unsupported: {read.loss}" if read.loss else "unsupported"
        policy = _POLICY[read.if_lost]
        if read.emulated:
            policy = f"emulate: {read.emulated}" + ("" if read.if_lost is IfLost.DROP else f"; else {policy}")
        return "", "", loss, policy
    if not writes:
        # What the reader takes for absent, such as a default said aloud, is not there to be lost.
        loss = f"unsupported, but for {read.loss}" if read.loss else "unsupported"
        return read.means.key, "", loss, _lost(read.means)
    both: list[Reads | Writes] = [read, *writes]
    told = dict.fromkeys(_written(row) for row in writes)
    emulated = dict.fromkeys(row.emulated for row in both if row.emulated)
    policy = f"emulate: {'; '.join(emulated)}" if emulated else "map"
    if not _known_to_all(writes, server):
        policy += f"; elsewhere {_lost(read.means)}"
    return read.means.key, ", ".join(told), _losses([row.loss for row in both]), policy


def _losses(said: Sequence[str]) -> str:
    """All that is lost on either half of the way; what one half says and the other says better is said once."""
    each = dict.fromkeys(loss for loss in said if not any(other != loss and other.startswith(loss) for other in said))
    return f"lossy: {'; '.join(filter(None, each))}" if any(each) else "lossless"


def _lost(means: Meaning) -> str:
    """What becomes of a meaning that nobody can be told, and how to have it imitated."""
    opt_in = _opt_in(means)
    return f"{_POLICY[means.if_lost]}, or {opt_in}" if opt_in else _POLICY[means.if_lost]


def _opt_in(means: Meaning) -> str:
    """What `emulate` of the stage `transform` may name for it."""
    name = means.key.replace(" ", "_")
    return f"`emulate: [{name}]`" if name in get_args(Emulation) else ""


def _written(row: Writes) -> str:
    return f"`{row.field}`" + (f" ({', '.join(row.profiles)})" if row.profiles is not None else "")


def _known_to_all(writes: Sequence[Writes], server: Dialect) -> bool:
    known = {profile for row in writes for profile in (server.profiles if row.profiles is None else row.profiles)}
    return known >= set(server.profiles)


# What an Ollama server answers, by status and words (protocol.md 1.11, 3.9); N is any name.
_SAID = (
    (400, "model is required"),
    (400, "invalid model name"),
    (404, "model 'N' not found"),
    (404, 'model "N" not found, try pulling it first'),
    (400, "N does not support tools"),
    (400, '"N" does not support thinking'),
    (400, 'think value "medium" is not supported for this model'),
    (400, '"N" does not support chat'),
    (400, '"N" does not support generate'),
    (400, "N does not support insert"),
    (400, "the input length exceeds the context length"),
    (400, "illegal base64 data at input byte 4"),
    (400, "anything else"),
    (401, "unauthorized"),
    (403, "ollama cloud is disabled"),
    (403, ""),
    (429, "too many requests"),
    (500, 'option "N" must be of type integer'),
    (500, "invalid format: xml"),
    (500, "anything else"),
    (502, "anything else"),
    (503, "server busy, please try again.  maximum pending requests exceeded"),
)


def errors_of_ollama() -> str:
    """What an Ollama server's errors become for OpenAI's clients, asked of the dialects."""
    client, server = OpenAI(), Ollama()
    rows = []
    for status, words in _SAID:
        body = json.dumps({"error": words}).encode() if words else b""
        error = server.decode_error(status, Headers({"content-type": "application/json"}), body)
        told = json.loads((reply := client.error_reply(error, "N")).body)["error"]
        code, param = (f"`{told[name]}`" if told.get(name) else "" for name in ("code", "param"))
        rows.append(
            (str(status), f"`{words}`" if words else "no body", str(reply.status), f"`{told['type']}`", code, param)
        )
    return table(("Ollama says", "in these words", "status", "`type`", "`code`", "`param`"), rows)


def errors_as_ollama(leaves: Callable[[], Iterator[type[GatewayError]]]) -> str:
    """What the gateway's errors, and those of an upstream, are for Ollama's clients."""
    rows = []
    for cls in leaves():
        reply = Ollama().error_reply(cls("The message."), "N")
        rows.append((f"`{cls.__name__}`", str(reply.status), f"`{reply.body.decode().strip()}`"))
    return table(("error", "status", "body"), rows)


def routes_of(dialect: Dialect, prefix: str) -> str:
    """The paths that a face of the dialect serves."""
    rows = [(f"`{route.method} {prefix}{route.path}`", f"`{route.operation}`") for route in dialect.routes]
    return table(("method and path", "operation"), rows)
