"""D1 to D4: answers, whole and streamed, cut anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.conformance import Heard, Parsed
from pipeline.errors import UpstreamInterrupted
from pipeline.request import Request
from pipeline.testing.dialects.examples import DialectExample, streams
from pipeline.testing.dialects.law import law
from pipeline.testing.dialects.serving import asked, decoded, serve
from pipeline.testing.dialects.subject import DialectSubject
from pipeline.testing.scripted import cut, one_byte_each

_LAST_BYTES = 8
_OUT_OF_MEMORY = "kit: out of memory"


@law("D1", "A whole answer is the collected stream", examples=streams)
def whole_is_stream(subject: DialectSubject, example: DialectExample) -> None:
    """Whether an upstream streams and whether a client wants a stream have nothing to do with each other. However the
    same answer comes and goes, it says the same: its text, its reasoning, its tool calls and why it ended. Each is also
    what this protocol's clients require of an answer, in every field and in the order of a stream.
    """
    meant = subject.kit.heard(example.operation, subject.kit.fold(example.operation, example.items))
    for how, got in _ways(subject, example):
        said, expected = _comparable(got, meant)
        assert said == expected, f"{how} says {said}, the upstream said {expected}"


def _ways(subject: DialectSubject, example: DialectExample) -> Iterator[tuple[str, Heard]]:
    kit, operation = subject.kit, example.operation
    came = {
        "a stream": kit.encode(example.items),
        "a whole answer": json.dumps(kit.fold(operation, example.items)).encode(),
    }
    for what, data in came.items():
        streamed = what == "a stream"
        request = asked(subject.dialect, operation, example.request, stream=True)
        parsed = serve(subject, request, [data], came_streamed=streamed).parsed(subject)
        assert parsed.done, f"{what}, as a stream, ended in an error: {parsed.error}"
        _is_a_stream(subject, operation, parsed, request)
        yield f"{what}, as a stream,", kit.heard(operation, kit.fold(operation, parsed.items))
        request = asked(subject.dialect, operation, example.request, stream=False)
        answer = serve(subject, request, [data], came_streamed=streamed).whole()
        kit.check(operation, answer, model=request.model)
        yield f"{what}, as a whole,", kit.heard(operation, answer)


def _is_a_stream(subject: DialectSubject, operation: str, parsed: Parsed, request: Request) -> None:
    """With token counts or without them: only the dialect knows where its clients say which they want."""
    check = subject.kit.check_stream
    try:
        check(operation, parsed.items, model=request.model, usage=False, complete=parsed.done)
    except AssertionError:
        check(operation, parsed.items, model=request.model, usage=True, complete=parsed.done)


def _comparable(got: Heard, meant: Heard) -> tuple[Heard, Heard]:
    """Without what may be missing on one side, which is told as 0 or as nothing, and without ids that were made."""
    if (0, 0) in (got.counts, meant.counts):
        got, meant = replace(got, counts=(0, 0)), replace(meant, counts=(0, 0))
    if not got.logprobs or not meant.logprobs:
        got, meant = replace(got, logprobs=()), replace(meant, logprobs=())
    if any(not call.id for call in meant.calls):
        got, meant = (replace(each, calls=tuple(replace(call, id="") for call in each.calls)) for each in (got, meant))
    return got, meant


@law("D2", "What a cut stream says is what the whole one would have begun with", examples=streams)
def cut_is_prefix(subject: DialectSubject, example: DialectExample) -> None:
    """An upstream may die at any byte. No event is made of the half of one that is left, and nothing is added to round
    an answer off: what was decoded up to the cut is how the events of the complete stream begin.
    """
    request = asked(subject.dialect, example.operation, example.request, stream=True)
    stream = subject.kit.encode(example.items)
    full = decoded(subject.dialect, request, [stream])
    assert full.finished, f"a complete stream is not finished: {full.failure}"
    for at in _places(subject, example, stream):
        begun = decoded(subject.dialect, request, [stream[:at]])
        assert begun.events == full.events[: len(begun.events)], (
            f"cut at byte {at} it says {begun.events[-1:]}, where the whole says {full.events[len(begun.events) - 1 :]}"
        )


@law("D3", "A stream ends once, wherever it is cut", examples=streams)
def ends_once(subject: DialectSubject, example: DialectExample) -> None:
    """A client sees the end marker, or an error in the stream, or an error instead of one: exactly one of them, also
    when the connection breaks or closes at any byte, or the upstream tells of an error itself. Success is told only if
    everything was said, and what the upstream calls its error reaches the client in those words.
    """
    kit, operation = subject.kit, example.operation
    request = asked(subject.dialect, operation, example.request, stream=True)
    stream = kit.encode(example.items)
    everything = serve(subject, request, [stream], came_streamed=True).parsed(subject)
    assert everything.done, f"a complete stream ended in an error: {everything.error}"
    for at in _places(subject, example, stream):
        for how, steps in (("closed", [stream[:at]]), ("broke", [stream[:at], UpstreamInterrupted("kit: reset")])):
            parsed = _ended(f"the connection {how} at byte {at}", subject, request, steps)
            assert not parsed.done or parsed.items == everything.items, (
                f"the connection {how} at byte {at} of {len(stream)}, and the client was told that this is all"
            )
    unmarked = kit.encode(example.items, done=False)
    if unmarked != stream:
        parsed = _ended("the end marker never came", subject, request, [unmarked])
        assert not parsed.done, "the end marker never came, and the client was told that this is all"
    before, after = example.items[: example.place], example.items[example.place :]
    reported = kit.encode(before, done=False) + kit.failed(_OUT_OF_MEMORY)
    for rest in (b"", kit.encode(after)):
        served = serve(subject, request, [reported + rest], came_streamed=True)
        parsed = served.parsed(subject)
        assert not parsed.done, "an error that the upstream told of was passed over"
        words = served.raised.message if served.raised is not None else parsed.error or ""
        assert _OUT_OF_MEMORY in words, f"the upstream's error became {words!r}"


def _ended(how: str, subject: DialectSubject, request: Request, steps: Sequence[object]) -> Parsed:
    try:
        return serve(subject, request, steps, came_streamed=True).parsed(subject)
    except AssertionError as error:
        raise AssertionError(f"{how}: {error}") from error


@law("D4", "It does not matter where the bytes are cut", examples=streams)
def cut_anywhere(subject: DialectSubject, example: DialectExample) -> None:
    """The network decides how many bytes are in a read. The same bytes decode to the same events and end in the same
    way in one piece, in any other pieces and in single bytes, through the middle of a letter too; whether the stream is
    complete or not, and whichever line ends it has.
    """
    request = asked(subject.dialect, example.operation, example.request, stream=True)
    whole = subject.kit.encode(example.items)
    for stream in (whole, whole.replace(b"\n", b"\r\n"), whole[: example.at[-1] if example.at else 1]):
        at_once = decoded(subject.dialect, request, [stream])
        others = {"other pieces": cut(stream, example.at), "single bytes": one_byte_each(stream)}
        for how, given in others.items():
            got = decoded(subject.dialect, request, given)
            assert got == at_once, f"in {how} the bytes say {got}, at once {at_once}"


def _places(subject: DialectSubject, example: DialectExample, stream: bytes) -> list[int]:
    """Those that were drawn, one between two items, and the last ones, where the end marker is."""
    drawn = {at % (len(stream) + 1) for at in example.at}
    between = len(subject.kit.encode(example.items[: example.place], done=False))
    return sorted(drawn | {between} | set(range(max(0, len(stream) - _LAST_BYTES), len(stream) + 1)))
