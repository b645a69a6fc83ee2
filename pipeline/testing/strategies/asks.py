"""What callers ask: every operation that an installed dialect has a route for, the plain ones first."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pipeline.events import Data
from pipeline.request import Request
from pipeline.slots import Slot
from pipeline.testing.asking import Unfit, request_of
from pipeline.testing.kit_host import KEY, UPSTREAM
from pipeline.testing.scenario import Ask
from pipeline.testing.strategies.texts import kept, texts_of, words_of
from pipeline.testing.subject import Subject
from pipeline.wellknown import CHOICE, MODEL, PRINCIPAL, RESERVATION, TARGET, TARGETS, Principal, Target

_GENERATING = ("chat", "completion", "embedding")
_ASKED_WITH_TEXT = {"completion": "prompt", "embedding": "input", "embedding.single": "prompt"}
_EITHER = st.booleans()
_KEYS = st.sampled_from([KEY, None, "kit-key-of-a-stranger"])
_CHOICES = st.integers(0, 2)


def payloads(subject: Subject, dialect: str, operation: str, settings: Any = None) -> st.SearchStrategy[Data]:
    """A client's JSON object: a plain one, or with any field that the dialect's conformance knows."""
    return _payloads(subject, dialect, operation, words_of(settings))


@kept
def _payloads(subject: Subject, dialect: str, operation: str, words: tuple[str, ...]) -> st.SearchStrategy[Data]:
    models = st.sampled_from(sorted({"a", "b", *words}))
    text = texts_of(words, subject.arrangement.texts)
    plain: st.SearchStrategy[Data]
    if operation == "chat":
        message: dict[str, st.SearchStrategy[Any]] = {"role": st.just("user"), "content": text}
        messages = st.lists(st.fixed_dictionaries(message), min_size=1, max_size=2)
        plain = st.fixed_dictionaries({"model": models, "messages": messages})
    elif operation in _ASKED_WITH_TEXT:
        fields: dict[str, st.SearchStrategy[Any]] = {"model": models, _ASKED_WITH_TEXT[operation]: text}
        plain = st.fixed_dictionaries(fields)
    else:
        return st.fixed_dictionaries({"model": models})
    if operation not in _GENERATING:
        return plain
    return st.one_of(plain, plain, subject.drawn("requests", dialect, operation))


def operations(subject: Subject, dialect: str) -> list[str]:
    """The operations of a dialect, the simplest first."""
    known = {route.operation for route in subject.dialects[dialect].routes}
    first = [operation for operation in _GENERATING if operation in known]
    return [*first, *sorted(known - {*first})]


@kept
def _dialects(subject: Subject) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(subject.dialects))


@kept
def _operations(subject: Subject, dialect: str) -> st.SearchStrategy[str]:
    known = operations(subject, dialect)
    # Chats are what most stages are about: they come as often as all else.
    return st.one_of(st.just(known[0]), st.sampled_from(known))


@kept
def _scopes(words: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(sorted({"admin", *words})), max_size=2)


@st.composite
def asks(
    draw: st.DrawFn,
    subject: Subject,
    settings: Any = None,
    operation: str | None = None,
    *,
    dialect: str | None = None,
) -> Ask:
    """Of any dialect and operation, or those given; what the stage reads has been written."""
    words = words_of(settings)
    dialect = dialect if dialect is not None else draw(_dialects(subject))
    asked = operation or draw(_operations(subject, dialect))
    payload = draw(_payloads(subject, dialect, asked, words))
    stream = draw(_EITHER) if asked in ("chat", "completion") else False
    scopes = draw(_scopes(words))
    key = draw(_KEYS)
    model = payload.get("model") if isinstance(payload.get("model"), str) else ""
    return Ask(asked, dialect, stream, payload, key, scopes, _slots(draw, subject, str(model), scopes))


def _slots(draw: st.DrawFn, subject: Subject, model: str, scopes: frozenset[str]) -> tuple[tuple[Any, Any], ...]:
    target = Target(UPSTREAM, f"{model}-there")
    known: dict[Slot[Any], Any] = {
        PRINCIPAL: Principal("kit-caller", scopes),
        MODEL: model,
        TARGET: target,
        TARGETS: (target,),
        RESERVATION: None,
    }
    drawn = {CHOICE: _CHOICES, **subject.arrangement.slots}
    wanted = sorted(subject.spec.reads | subject.spec.may_read, key=lambda slot: slot.name)
    return tuple(
        (slot, draw(drawn[slot]) if slot in drawn else known[slot])
        for slot in wanted
        if (slot in drawn or slot in known) and (slot in subject.spec.reads or draw(_EITHER))
    )


def requests(subject: Subject, settings: Any = None) -> st.SearchStrategy[Request]:
    """Requests as a stage receives them, for a test of one's own."""
    return asks(subject, settings).map(lambda ask: _fitting(ask, subject)).filter(lambda request: request is not None)


def _fitting(ask: Ask, subject: Subject) -> Any:
    try:
        return request_of(ask, subject)
    except Unfit:
        return None
