"""All problems at once: independent faults are all reported, one fault is reported once, in reading order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.config import ConfigError, load_document

if TYPE_CHECKING:
    from tests.pipeline.config.conftest import Workspace


def test_five_independent_faults_are_five_problems(workspace: Workspace) -> None:
    problems = workspace.expect(
        "version: §2\n"
        "resources:\n"
        "  upstreams:\n"
        "    local: {key: §'${env:UNSET}'}\n"
        "gateways:\n"
        "  edge: {dialect: x, mount: §v1, chain: [auth, §auth]}\n"
        "  inner: {dialect: x, mount: /v2, chain: [go], §eddit: []}\n",
        ["unsupported-version", "unset-variable", "invalid-mount", "duplicate-stage", "unknown-key edit"],
    )
    assert len(problems) == 5


def test_faults_of_every_layer_are_reported_together(workspace: Workspace) -> None:
    workspace.expect(
        "version: 1\n"
        "§version: 1\n"
        "§1: x\n"
        "gateways:\n"
        "  edge: {use: base, with: {a: §!tag x, §zz: 1}, mount: §v1, edit: [§{}, {remove: §gone}]}\n"
        "  §Inner: {use: §bass}\n",
        [
            "unset-variable",
            "duplicate-key",
            "non-string-key",
            "explicit-tag",
            "unknown-key",
            "invalid-mount",
            "one-key",
            "unknown-stage go",
            "invalid-name",
            "unknown-bundle base",
        ],
        bundle="version: 1\nbundle: {dialect: x, mount: /, parameters: {a: {description: d}}, "
        "chain: [{go: {v: §'${env:UNSET}', w: '${with:a}'}}]}\n",
    )


def test_the_error_lists_one_problem_a_line_in_reading_order(workspace: Workspace) -> None:
    gateways = "  b: {dialect: x, mount: v, chain: [go]}\n  a: {dialect: x, mount: w, chain: [go]}\n"
    with pytest.raises(ConfigError) as caught:
        workspace.load(f"version: 1\ngateways:\n{gateways}zzz: 1\n")
    file = workspace.folder / "gateway.yaml"
    assert str(caught.value).split("\n") == [
        f"{file}:3:26 gateways.b.mount: a mount starts with '/'",
        f"{file}:4:26 gateways.a.mount: a mount starts with '/'",
        f"{file}:5:1 zzz: unknown key 'zzz'",
    ]


def test_toml_problems_are_told_apart_by_path(workspace: Workspace) -> None:
    text = 'version = 1\n[gateways.edge]\ndialect = "x"\nmont = "/v1"\nchain = ["go", "go"]\n'
    problems = workspace.problems(text, name="gateway.toml")
    assert [(p.mark.line, p.path, p.code, p.hint) for p in problems] == [
        (None, "gateways.edge.mont", "unknown-key", "mount"),
        (None, "gateways.edge.chain[1]", "duplicate-stage", None),
    ]


def test_formats_mean_the_same(workspace: Workspace) -> None:
    texts = {
        "a.yaml": "version: 1\ngateways: {e: {dialect: x, mount: /v1, chain: [{id: i, go: {n: 1}}]}}\n",
        "a.json": '{"version": 1, "gateways":'
        ' {"e": {"dialect": "x", "mount": "/v1", "chain": [{"id": "i", "go": {"n": 1}}]}}}',
        "a.toml": 'version = 1\n[gateways.e]\ndialect = "x"\nmount = "/v1"\n'
        '[[gateways.e.chain]]\nid = "i"\ngo = {n = 1}\n',
    }
    entries = [workspace.load(text, name=name).gateways[0] for name, text in texts.items()]
    assert {(e.name, e.dialect, e.mount, e.chain[0].id, e.chain[0].kind) for e in entries} == {
        ("e", "x", "/v1", "i", "go")
    }


def test_the_real_environment_is_the_default(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWRIGHT_TEST_DIALECT", "from-the-environment")
    path = workspace.folder / "gateway.yaml"
    path.write_text("version: 1\ngateways: {e: {dialect: '${env:GATEWRIGHT_TEST_DIALECT}', mount: /, chain: [go]}}\n")
    document = load_document(str(path), bundle_dirs=[])
    assert document.gateways[0].dialect == "from-the-environment"
    assert document.path == path


def test_an_unreadable_config_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file") as caught:
        load_document(tmp_path / "none.yaml", bundle_dirs=[])
    assert [problem.code for problem in caught.value.problems] == ["file-missing"]
