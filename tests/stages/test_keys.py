"""A list of keys of which only digests are kept."""

from __future__ import annotations

import pickle
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline import Principal, SettingsError
from stages.keys import StaticKeys
from tests.stages.fakes import fake_host

KEY = "sk-0123456789abcdef"
DIGEST = sha256(KEY.encode()).hexdigest()


def keys(*entries: dict[str, Any]) -> StaticKeys:
    return StaticKeys(StaticKeys.Settings.model_validate({"keys": list(entries)}), fake_host(), "keys")


@pytest.mark.parametrize("entry", [{"key": KEY}, {"sha256": DIGEST}])
def test_the_key_and_its_digest_let_the_same_key_in_and_nothing_else(entry: dict[str, str]) -> None:
    store = keys({"id": "ann", **entry, "scopes": ["admin"]})
    assert store.check(KEY) == Principal("ann", frozenset({"admin"}))
    for wrong in ("", KEY[:-1], KEY + "x", KEY.upper(), DIGEST, "ann", f"ann.{KEY}"):
        assert store.check(wrong) is None


def test_an_id_may_have_several_live_keys() -> None:
    store = keys({"id": "ann", "key": KEY}, {"id": "ann", "key": KEY + "-new"})
    assert store.check(KEY) == store.check(KEY + "-new") == Principal("ann")


@pytest.mark.parametrize(
    "entries",
    [
        [{"id": "ann"}],
        [{"id": "ann", "key": KEY, "sha256": DIGEST}],
        [{"id": "ann", "key": "x" * 15}],
        [{"id": "ann", "key": ""}],
        [{"id": "ann", "key": KEY}, {"id": "bob", "key": KEY}],
        [{"id": "ann", "key": KEY}, {"id": "bob", "sha256": DIGEST}],
    ],
)
def test_keys_that_cannot_be_right_are_refused_without_being_shown(entries: list[dict[str, str]]) -> None:
    with pytest.raises(SettingsError) as caught:
        keys(*entries)
    assert caught.value.field == "keys"
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "ann", "sha256": DIGEST.upper()},
        {"id": "ann", "sha256": DIGEST[:-1]},
        {"id": "ann", "sha256": DIGEST + "\n"},
        {"id": "a b", "key": KEY},
        {"id": "", "key": KEY},
        {"id": "ann\n", "key": KEY},
        {"id": "a" * 65, "key": KEY},
        {"id": "ann", "key": KEY, "secret": KEY},
        {"key": KEY},
    ],
)
def test_malformed_entries_are_refused_without_being_shown(entry: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        keys(entry)
    assert KEY not in str(caught.value)


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(ValidationError):
        keys()


def test_no_secret_is_shown_or_kept() -> None:
    settings = StaticKeys.Settings.model_validate({"keys": [{"id": "ann", "key": KEY}]})
    store = StaticKeys(settings, fake_host(), "keys")
    assert KEY not in repr(settings) + str(settings) + repr(store) + str(store)
    assert KEY.encode() not in pickle.dumps(vars(store))


@given(key=st.text(st.characters(), max_size=40) | st.just("\ud800") | st.just("\udc80\udfff"))
def test_any_text_may_be_presented(key: str) -> None:
    assert keys({"id": "ann", "key": KEY}).check(key) is None
