"""The engine's own types, for `st.from_type(Request)` in any test; any operation of any installed dialect."""

from __future__ import annotations

from hypothesis import strategies as st

from pipeline.events import END, Event
from pipeline.payload import Payload
from pipeline.request import Request
from pipeline.stage import StageSpec
from pipeline.testing.strategies.answers import events as data_of_events
from pipeline.testing.strategies.asks import requests as requests_for
from pipeline.testing.strategies.texts import texts
from pipeline.testing.subject import Subject


class _Any:
    spec = StageSpec("kit.any")


_SUBJECT = Subject("kit.any", _Any)

requests: st.SearchStrategy[Request] = requests_for(_SUBJECT)
payloads: st.SearchStrategy[Payload] = requests.map(lambda request: request.payload)
events: st.SearchStrategy[Event] = st.just(END) | data_of_events("chat", texts(_SUBJECT)).flatmap(st.sampled_from).map(
    Event
)
