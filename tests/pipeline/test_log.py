"""The log of rare events is the standard library's: an embedder sees it, with fields and without local values."""

from __future__ import annotations

import json
import logging

import pytest

from pipeline.log import event_log, write_events


def test_an_event_has_its_fields_and_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    secret = "in a local variable"
    try:
        raise LookupError("gone" if secret else "")
    except LookupError:
        event_log().warning("key store unreachable", store="team", exc_info=True)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("gatewright", "WARNING")
    assert record.getMessage() == "key store unreachable store='team'"
    assert "LookupError: gone" in caplog.text
    assert secret not in caplog.text


@pytest.mark.parametrize("format", ["json", "off"])
def test_the_server_writes_lines_or_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], format: str
) -> None:
    logger = logging.getLogger("gatewright")
    monkeypatch.setattr(logger, "handlers", logger.handlers)
    monkeypatch.setattr(logger, "propagate", logger.propagate)
    write_events(format)  # type: ignore[arg-type]  # parametrize has no literals
    event_log().error("two\nlines")
    written = capsys.readouterr().err
    assert [json.loads(line)["event"] for line in written.splitlines()] == (["two\nlines"] if format == "json" else [])
