"""Process settings come from the environment under one prefix, are checked, and misspellings are noticed."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.settings import ProcessSettings, misspelt


def test_without_an_environment_it_listens_on_this_machine_only() -> None:
    settings = ProcessSettings()
    assert (settings.host, settings.port, settings.workers, settings.log_format) == ("127.0.0.1", 8000, 1, "auto")


def test_variables_with_the_prefix_are_read_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWRIGHT_PORT", "0")
    monkeypatch.setenv("gatewright_log_format", "json")
    monkeypatch.setenv("WORKERS", "7")
    monkeypatch.setenv("GATEWRIGHT_DEMO_KEY", "the document's own")
    settings = ProcessSettings()
    assert (settings.port, settings.log_format, settings.workers) == (0, "json", 1)


def test_the_command_line_covers_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWRIGHT_PORT", "1")
    assert ProcessSettings(port=2).port == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PORT", "65536"), ("PORT", "-1"), ("PORT", "http"), ("WORKERS", "0"), ("WORKERS", "257")),
        *(("LOG_FORMAT", "xml"), ("LOG_LEVEL", "loud"), ("MAX_BODY_BYTES", "0"), ("GRACE_SECONDS", "-1")),
    ],
)
def test_a_bad_value_is_refused_by_name_and_not_quoted(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"GATEWRIGHT_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()) as caught:
        ProcessSettings()
    assert "input_value" not in str(caught.value)


def test_settings_are_frozen_and_every_one_is_described() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ProcessSettings().port = 1
    assert [name for name, field in ProcessSettings.model_fields.items() if not field.description] == []


def test_near_misses_are_told_with_what_was_meant() -> None:
    names = ["GATEWRIGHT_PROT", "GATEWRIGHT_LOGFORMAT", "GATEWRIGHT_PORT", "GATEWRIGHT_DEMO_KEY", "PROT"]
    assert misspelt(names) == {
        "GATEWRIGHT_PROT": "GATEWRIGHT_PORT",
        "GATEWRIGHT_LOGFORMAT": "GATEWRIGHT_LOG_FORMAT",
    }
