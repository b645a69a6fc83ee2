"""The options of a client's request, row by row (protocol.md 1.3, 3.3)."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from pipeline import Losses, Parameter
from stages.dialects.ollama.table import READS, SERVER_OPTIONS
from tests.stages.dialects.ollama.asking import neutral, refused, values

FLOATS = ("temperature", "top_p", "min_p", "typical_p", "frequency_penalty", "presence_penalty", "repeat_penalty")
INTEGERS = ("top_k", "repeat_last_n", "seed", "num_ctx")
NO_NUMBERS: tuple[Any, ...] = ("1", True, [], {})
GENERATING = ("chat", "completion")
EMBEDDING = ("embedding", "embedding.single")
GONE = (
    *("mirostat", "mirostat_tau", "mirostat_eta", "tfs_z", "penalize_newline", "numa", "low_vram", "f16_kv"),
    *("vocab_only", "use_mlock", "logits_all", "embedding_only"),
)


def options(said: dict[str, Any], losses: Losses | None = None, operation: str = "chat") -> dict[str, Any]:
    return values(neutral(operation, {"options": said}, losses))


@pytest.mark.parametrize("operation", GENERATING)
@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("value", [0, 0.7, -1.5, 3, 100])
def test_a_number_is_itself(operation: str, name: str, value: float) -> None:
    assert options({name: value}, operation=operation) == {name: value}


@pytest.mark.parametrize("operation", GENERATING)
@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize(("value", "meant"), [(0, 0), (7, 7), (7.0, 7), (7.9, 7), (-2, -2), (2**31, 2**31)])
def test_an_integer_may_be_written_as_a_float(operation: str, name: str, value: float, meant: int) -> None:
    found = options({name: value}, operation=operation)
    assert found == {name: meant}
    assert type(found[name]) is int


@pytest.mark.parametrize(
    ("said", "meant", "changed"),
    [
        ({"num_predict": 5}, {"max_tokens": 5}, []),
        ({"num_predict": 5.0}, {"max_tokens": 5}, []),
        ({"num_predict": -1}, {}, []),
        ({"num_predict": -2}, {}, []),
        ({"num_predict": 0}, {}, ["options.num_predict"]),
        ({"seed": -1}, {}, []),
        ({"seed": -1.0}, {}, []),
        ({"seed": 0}, {"seed": 0}, []),
        ({"stop": "END"}, {"stop": ["END"]}, []),
        ({"stop": ["a", "", "b"]}, {"stop": ["a", "b"]}, []),
        ({"stop": []}, {}, []),
        ({"stop": ""}, {}, []),
        ({"stop": [""]}, {}, []),
        ({"temperature": None, "seed": None, "stop": None, "num_gpu": None, "zzz": None}, {}, []),
        ({"temperature": None, "seed": 2**63 - 1}, {"seed": 2**63 - 1}, []),
        ({"seed": -(2**63)}, {"seed": -(2**63)}, []),
    ],
)
def test_what_is_not_itself(said: dict[str, Any], meant: dict[str, Any], changed: list[str]) -> None:
    losses = Losses()
    assert options(said, losses) == meant
    assert losses.changed == changed
    assert losses.dropped == []


@pytest.mark.parametrize(
    ("name", "value", "must_be"),
    [
        *((name, value, "of type float32") for name, value in product(FLOATS, NO_NUMBERS)),
        *(
            (name, value, "of type integer")
            for name, value in product((*INTEGERS, "num_predict"), (*NO_NUMBERS, 1e30, 2**63))
        ),
        *((name, "1", "of type integer") for name in SERVER_OPTIONS if name != "use_mmap"),
        ("use_mmap", 1, "of type boolean"),
        ("stop", 5, "of type array"),
        ("stop", {}, "of type array"),
        ("stop", ["a", 5], "of an array of strings"),
    ],
)
@pytest.mark.parametrize("operation", ["chat", "completion"])
def test_a_wrong_type_is_refused_in_the_servers_words(operation: str, name: str, value: Any, must_be: str) -> None:
    """The server's own status is 500: ours says who must change something."""
    error = refused(operation, {"options": {name: value}})
    assert (error.status, error.param) == (400, f"options.{name}")
    assert error.message == f'option "{name}" must be {must_be}'


@pytest.mark.parametrize("operation", [*GENERATING, *EMBEDDING])
def test_matters_of_the_server_stay_together(operation: str) -> None:
    said = {"num_batch": 1, "num_gpu": 2.0, "main_gpu": 0, "num_thread": 4, "num_keep": 5, "draft_num_predict": 4}
    found = neutral(operation, {"options": {**said, "use_mmap": False, "num_ctx": 9}})
    assert values(found) == {"options": {**said, "use_mmap": False}, "num_ctx": 9}
    assert found.parameters[Parameter.SERVER_OPTIONS].path == "options"
    assert found.parameters[Parameter.NUM_CTX].path == "options.num_ctx"


@pytest.mark.parametrize("name", [*GONE, "zzz", "Temperature"])
def test_what_no_server_knows_is_no_loss(name: str) -> None:
    losses = Losses()
    assert options({name: ["anything"]}, losses) == {}
    assert losses.header() is None


@pytest.mark.parametrize("operation", EMBEDDING)
def test_an_embedding_samples_nothing(operation: str) -> None:
    losses = Losses()
    assert options({"temperature": 0.5, "seed": 1, "stop": ["x"], "num_predict": 3}, losses, operation) == {}
    assert losses.header() is None


def test_every_row_of_the_table_is_run() -> None:
    rows = [row for row in READS if row.field.startswith("options.") and "chat" in row.operations]
    for row in rows:
        name = row.field.removeprefix("options.")
        value: Any = {"stop": ["x"], "use_mmap": True}.get(name, 3)
        found = neutral("chat", {"options": {name: value}}).parameters
        expected = [row.means] if isinstance(row.means, Parameter) else []
        assert list(found) == expected, row
