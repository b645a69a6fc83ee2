"""D5 and D6: nothing that is sent, by an upstream or by a client, is more than a dialect can take."""

from __future__ import annotations

import json
from typing import Any

from pipeline.dialect import Dialect, Reply
from pipeline.errors import GatewayError, InvalidRequest
from pipeline.headers import Headers
from pipeline.losses import Losses
from pipeline.neutral_request import Answered
from pipeline.payload import Payload
from pipeline.request import Request
from pipeline.testing.asking import STREAMED
from pipeline.testing.dialects.examples import DialectExample, bodies, garbled_streams
from pipeline.testing.dialects.law import law
from pipeline.testing.dialects.serving import asked, decoded, serve
from pipeline.testing.dialects.subject import DialectSubject
from pipeline.testing.scripted import cut
from pipeline.wellknown import Target

_MOST_CALLS = 20
_STATUSES = (400, 404, 429, 500, 503, 599)


@law("D5", "Any bytes of an upstream are events or one typed failure", examples=garbled_streams)
def any_answer(subject: DialectSubject, example: DialectExample) -> None:
    """Model servers, and the proxies before them, send whatever they like: half a line, a page of HTML, JSON of another
    shape. A decoder never raises anything untyped and never ends in silence, and the same bytes in other pieces fail
    alike. So do the answers to an error status and to discovery.
    """
    dialect, data = subject.dialect, example.data
    for stream in (True, False):
        request = asked(dialect, example.operation, example.request, stream=stream)
        for streamed in (True, False):
            served = serve(subject, request, cut(data, example.at), came_streamed=streamed)
            if stream:
                served.parsed(subject)
            elif served.raised is None:
                served.whole()
        at_once = decoded(dialect, request, [data])
        assert at_once.finished or at_once.failure is not None, "it ends in neither success nor failure"
        in_pieces = decoded(dialect, request, cut(data, example.at))
        assert in_pieces == at_once, f"in pieces the bytes say {in_pieces}, at once {at_once}"
    for status in _STATUSES:
        error = dialect.decode_error(status, Headers(), data)
        assert isinstance(error, GatewayError), f"status {status} was read as {error!r}"
        _is_worded(subject, error)
    _discovered(subject, data)


def _discovered(subject: DialectSubject, data: bytes) -> None:
    finding = subject.dialect.discovery(())
    try:
        next(finding)
        for _ in range(_MOST_CALLS):
            finding.send(Reply(200, Headers(), data))
    except (StopIteration, GatewayError):
        return
    finally:
        finding.close()
    raise AssertionError(f"discovery goes on after {_MOST_CALLS} calls")


@law("D6", "Any body of a request is a request or a refusal in words", examples=bodies)
def any_request(subject: DialectSubject, example: DialectExample) -> None:
    """Clients send what they like too. Reading it gives a request, or an `InvalidRequest` with a status from 400 to
    499, which the dialect then words as its clients expect; what its conformance calls valid is read. What was read can
    be sent on under another name, and written anew from its neutral form or refused, with nothing else raised.
    """
    dialect, operation = subject.dialect, example.operation
    body = example.data if example.raw else json.dumps(example.request).encode()
    try:
        read = dialect.decode_request(operation, body, "")
    except InvalidRequest as error:
        if example.valid:
            raise AssertionError(f"a valid request was refused: {error.message}") from error
        _is_refusal(subject, error)
        return
    if operation not in subject.operations:
        return
    stream = read.stream and operation in STREAMED
    request = Request(
        operation, model=read.model, payload=read.payload, dialect=dialect.name, stream=stream, id="kit-request"
    )
    try:
        renamed = request.evolve(payload=dialect.rename(request, "there"))
        assert dialect.encode_request(renamed).body, "a call without a body"
        for profile in dialect.profiles:
            _written_anew(dialect, request, profile)
    except InvalidRequest as error:
        _is_refusal(subject, error)


def _written_anew(dialect: Dialect, request: Request, profile: str) -> None:
    losses = Losses()
    neutral = dialect.read(request, losses)
    if isinstance(neutral, Answered):
        return
    calls = dialect.write(neutral, Target("kit", request.model), losses, profile=profile)
    assert calls, "nothing is asked of the upstream, and nothing was answered"
    for call in calls:
        dialect.encode_request(request.evolve(operation=call.operation, payload=Payload(call.payload)))


def _is_refusal(subject: DialectSubject, error: InvalidRequest) -> None:
    assert 400 <= error.status <= 499, f"a refusal with status {error.status}"
    _is_worded(subject, error)


def _is_worded(subject: DialectSubject, error: GatewayError) -> None:
    """The status may be another than the error's; the words are the same."""
    assert error.message, f"an error without a word: {error!r}"
    reply = subject.dialect.error_reply(error)
    assert 400 <= reply.status <= 599, f"{type(error).__name__} is answered with status {reply.status}"
    said = json.loads(reply.body) if "json" in reply.content_type else reply.body.decode()
    assert _said_in(said, error.message), f"{error.message!r} is not in {reply.body[:200]!r}"


def _said_in(value: Any, words: str) -> bool:
    if isinstance(value, dict):
        return any(_said_in(inner, words) for inner in value.values())
    if isinstance(value, list):
        return any(_said_in(inner, words) for inner in value)
    return isinstance(value, str) and words in value
