"""Laws 42, 43, 46 and 47: names, aliases, durations and timestamps (protocol.md 1.2, 5.3, 6)."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Face, Gateway
from pipeline.adapters.paths import Router
from stages.catalogue.resource import ModelCatalogue
from stages.dialects.ollama import durations, names, timestamps
from tests.laws.answered import O_FROM_L, Pair, run, serve
from tests.laws.often import often
from tests.laws.translated import KITS, OPENAI
from tests.stages.fakes import fake_host, never_next
from tests.stages.model_lists import listing_upstream

_parts = st.sampled_from(
    ["llama3", "LLAMA3", "user", "hf.co", "localhost:5000", "8B", "library", "_x", "a-b", "latest"]
)
_marks = st.sampled_from(["/", ":", "", " ", "://", "@", "cloud", "local", "-cloud", ".", "registry.ollama.ai"])
anything = st.text(max_size=12) | st.lists(_parts | _marks, max_size=7).map("".join)


@often
@given(text=anything)
def test_law_42_names_have_one_form(text: str) -> None:
    name = names.parse(text)
    if name is None:
        return
    shown = names.display(name)
    again = names.parse(shown)
    assert again is not None
    assert names.display(again) == shown
    assert names.key(again) == names.key(name)


@often
@given(text=anything)
def test_law_42_names_match_whatever_their_case(text: str) -> None:
    name, upper = names.parse(text), names.parse(text.upper())
    if name is not None and text.isascii():
        assert upper is not None
        assert names.key(upper) == names.key(name)


_models = st.sampled_from(["llama3:8b", "hf.co/u/r:Q4", "gpt-4o", "ft:gpt-4o:org::id", "a b", "m%2Fx", "é", "x/y/z"])
_aliases = st.sampled_from(["fast", "openai/gpt-4o", "gpt-3.5-turbo", "org/big:latest", "100%", "é/ü"])


@often
@given(served=st.sets(_models, min_size=1).map(sorted), data=st.data())
def test_law_43_every_listed_model_and_alias_is_found_again(served: list[str], data: st.DataObject) -> None:
    table = data.draw(st.dictionaries(_aliases, st.sampled_from(served), max_size=4))
    settings = ModelCatalogue.Settings.model_validate({"upstreams": ["one"], "aliases": table})
    upstream = listing_upstream("one", *served)
    catalogue = ModelCatalogue(settings, fake_host(upstreams={"one": upstream}), "models")
    listed = [card.id for card in run(catalogue.models())]
    assert len(listed) == len(set(listed))
    assert set(listed) == {*served, *table}
    for id in listed:
        (target,) = run(catalogue.resolve(id)).targets
        assert target.model == table.get(id, id)


@often
@given(name=_models | _aliases)
def test_law_43_a_name_in_a_path_is_read_with_its_slashes_written_either_way(name: str) -> None:
    for path in (quote(name, safe=""), quote(name, safe="/:")):
        assert path_model(f"/v1/models/{path}") == name


def path_model(path: str) -> str:
    gateway = Gateway("g", (Face(OPENAI, "/v1"),), "", (), never_next)
    return Router([gateway]).match("GET", path).path_model


@often
@given(alias=_aliases, data=st.data())
def test_law_43_the_answer_has_the_name_that_was_asked_for(alias: str, data: st.DataObject) -> None:
    request = {**O_FROM_L.request, "model": alias}
    pair = Pair(O_FROM_L.client, O_FROM_L.upstream, "chat", "chat", request)
    served = serve(pair, [KITS["ollama"].encode(data.draw(KITS["ollama"].streams("chat")))], stream=True)
    assert {item["model"] for item in KITS["openai"].parse(served.body).items} == {alias}


@often
@given(nanoseconds=st.integers(-(2**63), 2**63 - 1) | st.integers(-(10**10), 10**10))
def test_law_46_a_duration_comes_back(nanoseconds: int) -> None:
    assert durations.parse(durations.format(nanoseconds)) == nanoseconds


@often
@given(seconds=st.integers(-(10**9), 10**9) | st.floats(-(10**6), 10**6).map(lambda number: round(number, 6)))
def test_law_46_a_number_is_so_many_seconds(seconds: float) -> None:
    text = f"{seconds}s" if "e" not in str(seconds) else f"{seconds:.9f}s"
    assert durations.parse(seconds) == durations.parse(text)


@often
@given(seconds=st.integers(-(10**9), -1))
def test_law_46_anything_negative_is_for_ever(seconds: int) -> None:
    assert durations.keep_alive(seconds) == durations.keep_alive(f"{seconds}s") == durations.keep_alive(-1)


@often
@given(text=st.text(max_size=8) | st.sampled_from(["", "10", "-1", "5", "m", "1.h.", "1hh", "+-1s", "1e3s"]))
def test_law_46_what_is_no_duration_is_refused_in_words(text: str) -> None:
    try:
        nanoseconds = durations.parse(text)
    except ValueError:
        return
    assert durations.parse(durations.format(nanoseconds)) == nanoseconds


@often
@given(seconds=st.integers(0, 2**33))
def test_law_47_whole_seconds_come_back(seconds: int) -> None:
    text = timestamps.rfc3339(seconds)
    assert text.endswith("Z")
    assert math.floor(timestamps.unix(text) or 0) == seconds
    assert datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() == seconds


@often
@given(seconds=st.integers(0, 2**33), digits=st.text("0123456789", max_size=9), minutes=st.integers(-1439, 1439))
def test_law_47_any_fraction_and_any_offset_are_read(seconds: int, digits: str, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    local = datetime.fromtimestamp(seconds, zone)
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    fraction = f".{digits}" if digits else ""
    text = f"{local:%Y-%m-%dT%H:%M:%S}{fraction}{sign}{hours:02}:{rest:02}"
    found = timestamps.unix(text)
    assert found is not None
    assert found == pytest.approx(seconds + float(f"0.{digits or 0}"), abs=1e-5)
    assert math.floor(found) == seconds or digits.startswith("99999")


_DATED = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")


@often
@given(
    text=st.text(max_size=30).filter(lambda text: not _DATED.match(text))
    | st.sampled_from(["2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01"])
)
def test_law_47_what_is_no_timestamp_is_none(text: str) -> None:
    assert timestamps.unix(text) is None
