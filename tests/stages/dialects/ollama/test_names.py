"""Ollama's model names: the table of protocol.md 5.3, and law 42."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.dialects.ollama.names import Name, display, key, lookup_names, parse, split_source

_DEFAULT = "registry.ollama.ai"

VALID = [
    ("llama3", None, (_DEFAULT, "library", "llama3", "latest"), "llama3:latest"),
    (" llama3 ", None, (_DEFAULT, "library", "llama3", "latest"), "llama3:latest"),
    ("LLAMA3:8B", None, (_DEFAULT, "library", "LLAMA3", "8B"), "LLAMA3:8B"),
    ("user/model", None, (_DEFAULT, "user", "model", "latest"), "user/model:latest"),
    (
        "hf.co/bartowski/Qwen2.5-7B-GGUF:Q4_K_M",
        None,
        ("hf.co", "bartowski", "Qwen2.5-7B-GGUF", "Q4_K_M"),
        "hf.co/bartowski/Qwen2.5-7B-GGUF:Q4_K_M",
    ),
    ("localhost:5000/ns/m", None, ("localhost:5000", "ns", "m", "latest"), "localhost:5000/ns/m:latest"),
    ("https://host/ns/m:t", None, ("host", "ns", "m", "t"), "host/ns/m:t"),
    ("registry.ollama.ai/library/llama3", None, (_DEFAULT, "library", "llama3", "latest"), "llama3:latest"),
    ("REGISTRY.OLLAMA.AI/Library/x", None, ("REGISTRY.OLLAMA.AI", "Library", "x", "latest"), "x:latest"),
    ("_x/y_z:1.0", None, (_DEFAULT, "_x", "y_z", "1.0"), "_x/y_z:1.0"),
    ("openai/gpt-4o", None, (_DEFAULT, "openai", "gpt-4o", "latest"), "openai/gpt-4o:latest"),
    ("my-cloud-model", None, (_DEFAULT, "library", "my-cloud-model", "latest"), "my-cloud-model:latest"),
    ("gpt-oss:20b-cloud", "cloud", (_DEFAULT, "library", "gpt-oss", "20b"), "gpt-oss:20b"),
    ("gpt-oss:120b:cloud", "cloud", (_DEFAULT, "library", "gpt-oss", "120b"), "gpt-oss:120b"),
    ("foo:cloud", "cloud", (_DEFAULT, "library", "foo", "latest"), "foo:latest"),
    ("foo:local", "local", (_DEFAULT, "library", "foo", "latest"), "foo:latest"),
    ("foo:20B-Cloud", "cloud", (_DEFAULT, "library", "foo", "20B"), "foo:20B"),
    ("foo:CLOUD", "cloud", (_DEFAULT, "library", "foo", "latest"), "foo:latest"),
    ("h:1/ns/m-cloud", None, ("h:1", "ns", "m-cloud", "latest"), "h:1/ns/m-cloud:latest"),
]
INVALID = [
    *("foo:cloud:local", "foo:local:cloud", "foo:cloud:cloud", "foo:1-cloud:local", "foo:1-cloud-cloud"),
    *("hf.co/foo", "a/b/c/d", "m@sha256:abc", "m:", ":t", ".hidden", "name with space", "ft:gpt-4o:org::id", "", "  "),
    *("/m", "ns/", "a//b", "//m", "https://m", "https://ns/m", "://h/ns/m", ":cloud", "m:-cloud", "m:-x", "-m"),
    *("h:/", "a:b/ns:c/m", "\ud800", "m\n:t", "n\u00e4me", "foo:x:local:"),
]


@pytest.mark.parametrize(("text", "source", "parts", "shown"), VALID)
def test_a_name_is_read_and_shown(text: str, source: str | None, parts: tuple[str, ...], shown: str) -> None:
    name = parse(text)
    assert name is not None
    assert (name.host, name.namespace, name.model, name.tag) == parts
    assert name.source == source
    assert display(name) == shown


@pytest.mark.parametrize("text", INVALID)
def test_what_is_no_name_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "split"),
    [
        (" foo ", ("foo", None)),
        ("gpt-oss:20b-cloud", ("gpt-oss:20b", "cloud")),
        ("gpt-oss:120b:cloud", ("gpt-oss:120b", "cloud")),
        ("foo:local", ("foo", "local")),
        ("foo:cloud:local", None),
    ],
)
def test_the_source_is_taken_off_before_the_name_is_read(text: str, split: tuple[str, str | None] | None) -> None:
    assert split_source(text) == split


@pytest.mark.parametrize(("length", "valid"), [(80, True), (81, False)])
def test_a_part_has_at_most_80_bytes(length: int, valid: bool) -> None:
    part = "a" * length
    for text in (part, f"{part}/m", f"m:{part}"):
        assert (parse(text) is not None) is valid


@pytest.mark.parametrize(("length", "valid"), [(350, True), (351, False)])
def test_a_host_has_at_most_350_bytes(length: int, valid: bool) -> None:
    assert (parse("h" * length + "/ns/m") is not None) is valid


@pytest.mark.parametrize(
    ("model", "keys"),
    [
        ("LLAMA3", ("registry.ollama.ai/library/llama3:latest",)),
        (
            "ollama/llama3:8b",
            ("registry.ollama.ai/ollama/llama3:8b", "registry.ollama.ai/library/llama3:8b"),
        ),
        (
            "ollama_chat/ns/m",
            ("ollama_chat/ns/m:latest", "registry.ollama.ai/ns/m:latest"),
        ),
        ("ft:gpt-4o:org::id", ("ft:gpt-4o:org::id",)),
        ("ollama/hf.co/u/r:Q4", ("ollama/hf.co/u/r:Q4", "hf.co/u/r:q4")),
        ("foo:local", ("registry.ollama.ai/library/foo:latest",)),
    ],
)
def test_the_keys_of_a_name_best_first(model: str, keys: tuple[str, ...]) -> None:
    assert lookup_names(model) == keys


def test_a_model_in_the_cloud_is_only_found_by_a_name_that_says_so() -> None:
    installed = lookup_names("gpt-oss:20b-cloud")[0]
    assert lookup_names("GPT-OSS:20b:cloud")[0] == installed
    assert installed not in (*lookup_names("gpt-oss:20b"), *lookup_names("gpt-oss:20b:local"))


_WORDS = st.text("aB1_-.:/ \u00e4", max_size=12) | st.text(max_size=12)
_NAMES = _WORDS | st.builds(
    lambda parts, suffix: "/".join(parts) + suffix,
    st.lists(st.text("aB1_-.", min_size=1, max_size=6), min_size=1, max_size=4),
    st.sampled_from(["", ":latest", ":8B", ":cloud", ":local", ":8b-cloud", ":8b:cloud", ":cloud:cloud"]),
)


@given(_NAMES)
def test_law_42_reading_and_showing_again_changes_nothing(text: str) -> None:
    name = parse(text)
    if name is None:
        return
    shown = display(name)
    again = parse(shown)
    assert again is not None
    assert display(again) == shown
    assert key(again) == key(name)


@given(_NAMES)
def test_law_42_the_key_does_not_know_upper_case(text: str) -> None:
    name = parse(text)
    if name is None or not text.isascii():
        return
    lower, upper = parse(text.lower()), parse(text.upper())
    assert isinstance(lower, Name)
    assert isinstance(upper, Name)
    assert key(lower) == key(upper) == key(name)
