"""Bundles: finding them, filling them in, and where each fault is reported (at each `§`, the bundle's file first)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.config import ConfigError, GatewayEntry, load_document, plain

if TYPE_CHECKING:
    from tests.pipeline.config.conftest import Workspace


def bundle(chain: str = "[go]", parameters: str = "{}", mount: str = "/v1", rest: str = "") -> str:
    return f"version: 1\nbundle:\n  dialect: x\n  mount: {mount}\n  parameters: {parameters}\n  chain: {chain}\n{rest}"


def gateway(body: str = "{use: base}") -> str:
    return f"version: 1\ngateways:\n  edge: {body}\n"


def load(workspace: Workspace, base: str, body: str = "{use: base}", **environ: str) -> GatewayEntry:
    workspace.write("bundles/base.yaml", base)
    return workspace.load(gateway(body), environ=environ).gateways[0]


def settings(workspace: Workspace, parameters: str, written: str, given: str = "{}", **environ: str) -> Any:
    """What a stage setting `written` in a bundle becomes."""
    entry = load(
        workspace, bundle(f"[{{go: {{v: {written}}}}}]", parameters), f"{{use: base, with: {given}}}", **environ
    )
    return plain(entry.chain[0].settings)["v"]


P = '{a: {description: "The a."}}'
D = "{a: {description: d, default: %s}}"


@pytest.mark.parametrize(
    ("parameters", "written", "given", "value"),
    [
        (P, "'${with:a}'", "{a: text}", "text"),
        (P, "'${with:a}'", "{a: 5}", 5),
        (P, "'${with:a}'", "{a: [1, {b: 2}]}", [1, {"b": 2}]),
        (P, "'${with:a}'", "{a: null}", None),
        (P, "['${with:a}', {k: '${with:a}'}]", "{a: [1]}", [[1], {"k": [1]}]),
        (P, "'<${with:a}>'", "{a: text}", "<text>"),
        (P, "'<${with:a}${with:a}>'", "{a: 5}", "<55>"),
        (P, "'<${with:a}>'", "{a: true}", "<true>"),
        (P, "'<${with:a}>'", "{a: 1.5}", "<1.5>"),
        (P, "'$${with:a}'", "{a: text}", "${with:a}"),
        (P, "'${with:a}'", "{a: '$${with:a}'}", "${with:a}"),
        (P, "'${with:a} ${env:E}'", "{a: text}", "text ${with:a}"),
        (D % "[]", "'${with:a}'", "{}", []),
        (D % "[]", "'${with:a}'", "{a: 7}", 7),
        (D % "null", "'${with:a}'", "{}", None),
        (D % "'${env:E}'", "'${with:a}'", "{}", "${with:a}"),
        ("{a: {description: d}, b: {description: d, default: '${with:a}'}}", "'${with:b}'", "{a: [1]}", [1]),
        ("{a: {description: d}, b: {description: d, default: ['${with:a}!']}}", "'${with:b}'", "{a: x}", ["x!"]),
        ("{a: {description: d}, b: {description: d, default: '${with:a}'}}", "'${with:b}'", "{a: x, b: y}", "y"),
        (
            "{c: {description: d, default: '${with:b}3'}, b: {description: d, default: '${with:a}2'}, "
            "a: {description: d, default: '1'}}",
            "'${with:c}'",
            "{}",
            "123",
        ),
    ],
)
def test_parameters(workspace: Workspace, parameters: str, written: str, given: str, value: object) -> None:
    assert settings(workspace, parameters, written, given, E="${with:a}") == value


def test_a_bundle_becomes_the_gateway(workspace: Workspace) -> None:
    entry = load(workspace, bundle("[{id: auth, authenticate: {keys: []}}, go]"))
    assert (entry.name, entry.bundle, entry.dialect, entry.mount) == ("edge", "base", "x", "/v1")
    assert [(stage.id, stage.kind) for stage in entry.chain] == [("auth", "authenticate"), ("go", "go")]
    file = str(workspace.folder / "bundles/base.yaml")
    assert (entry.dialect_mark.file, entry.dialect_mark.line, entry.dialect_mark.column) == (file, 3, 12)
    assert (entry.mount_mark.file, entry.mount_mark.line) == (file, 4)
    assert (entry.chain[0].mark.file, entry.chain[0].mark.line, entry.chain[0].mark.column) == (file, 6, 22)
    assert (entry.mark.file, entry.mark.line) == (str(workspace.folder / "gateway.yaml"), 3)


def test_an_argument_keeps_the_place_it_was_written_at(workspace: Workspace) -> None:
    entry = load(workspace, bundle("[{go: {v: '${with:a}'}}]", P), "{use: base, with: {a: {k: 1}}}")
    value = entry.chain[0].settings.value
    assert isinstance(value, dict)
    inner = value["v"]
    assert isinstance(inner.value, dict)
    for mark, column in ((inner.mark, 31), (inner.keys["k"], 32), (inner.value["k"].mark, 35)):
        assert (mark.file, mark.line, mark.column) == (str(workspace.folder / "gateway.yaml"), 3, column)


def test_every_part_may_use_a_parameter(workspace: Workspace) -> None:
    base = (
        "version: 1\nbundle: {dialect: '${with:d}', mount: '/${with:m}', chain: '${with:c}', parameters: "
        "{d: {description: d}, m: {description: d}, c: {description: d}}}\n"
    )
    entry = load(workspace, base, "{use: base, with: {d: y, m: a/b, c: [one, {two: {k: 1}}]}}")
    assert (entry.dialect, entry.mount, [stage.id for stage in entry.chain]) == ("y", "/a/b", ["one", "two"])


def test_the_gateways_mount_wins_and_the_bundles_is_not_resolved(workspace: Workspace) -> None:
    entry = load(workspace, bundle(mount="'${env:UNSET}'"), "{use: base, mount: /other}")
    assert (entry.mount, entry.mount_mark.file) == ("/other", str(workspace.folder / "gateway.yaml"))


def test_an_unneeded_default_is_not_resolved(workspace: Workspace) -> None:
    assert settings(workspace, D % "'${env:UNSET}'", "'${with:a}'", "{a: 1}") == 1


def test_one_bundle_twice_with_different_arguments(workspace: Workspace) -> None:
    workspace.write("bundles/base.yaml", bundle("[{go: {v: '${with:a}'}}]", D % "9"))
    document = workspace.load(
        "version: 1\n"
        "gateways:\n"
        "  one: {use: base, with: {a: 1}}\n"
        "  two: {use: base, mount: /2, edit: [{set: {go: {w: 0}}}]}\n"
    )
    assert [plain(entry.chain[0].settings) for entry in document.gateways] == [{"v": 1}, {"v": 9, "w": 0}]


def test_a_file_reference_counts_from_the_file_it_is_written_in(workspace: Workspace) -> None:
    (workspace.folder / "key").write_text("config's")
    (workspace.folder / "bundles/key").write_text("bundle's")
    found = settings(workspace, P, "['${with:a}', '${file:key}']", "{a: '${file:key}'}")
    assert found == ["config's", "bundle's"]


def test_the_first_directory_wins(workspace: Workspace, tmp_path: Path) -> None:
    folders = [tmp_path / "missing", tmp_path / "first", tmp_path / "second"]
    for folder, names in ((folders[1], ["a"]), (folders[2], ["a", "b"])):
        folder.mkdir()
        for name in names:
            (folder / f"{name}.yaml").write_text(bundle(mount=f"/{folder.name}"))
    workspace.write("gateway.yaml", "version: 1\ngateways: {one: {use: a}, two: {use: b}}\n")
    document = load_document(tmp_path / "gateway.yaml", bundle_dirs=folders, environ={})
    assert [entry.mount for entry in document.gateways] == ["/first", "/second"]


def test_an_unknown_bundle_names_those_there_are(workspace: Workspace) -> None:
    workspace.write("bundles/other.yaml", bundle())
    (problem,) = workspace.expect(gateway("{use: §bass}"), ["unknown-bundle base"], bundle=bundle())
    assert "base, other" in problem.message


@pytest.mark.parametrize("name", ["../outside", "bundles/base", "/etc/passwd", "base.yaml", "''"])
def test_a_bundles_name_is_not_a_path(workspace: Workspace, name: str) -> None:
    workspace.write("outside.yaml", bundle())
    workspace.write("bundles/base.yaml", bundle())
    assert [p.code for p in workspace.problems(gateway(f"{{use: {name}}}"))] == ["unknown-bundle"]


# (the bundle, the gateway's body, the problems)
FAULTS: dict[str, tuple[str, str, list[str]]] = {
    "use is a number": (bundle(), "{use: §1}", ["wrong-type"]),
    "use and a chain": (bundle(), "{use: base, §chain: [go]}", ["conflict"]),
    "use and a dialect": (bundle(), "{use: base, §dialect: x}", ["conflict"]),
    "bad mount in place of the bundle's": (bundle(), "{use: base, mount: §v1}", ["invalid-mount"]),
    "with is a list": (bundle(), "{use: base, with: §[a]}", ["wrong-type"]),
    "unknown argument": (bundle(), "{use: base, with: {§zzz: 1}}", ["unknown-key"]),
    "misspelt argument": (
        bundle("[go]", D % "1").replace("{a:", "{upstream:"),
        "{use: base, with: {§upstrem: 1}}",
        ["unknown-key upstream"],
    ),
    "misspelt required argument is one fault": (
        bundle("[go]", P).replace("{a:", "{upstream:"),
        "{use: base, with: {§upstrem: 1}}",
        ["unknown-key upstream"],
    ),
    "missing argument": (bundle("[{go: {v: '${with:a}'}}]", P), "{use: §base}", ["missing"]),
    "missing argument, others given": (
        bundle("[go]", "{a: {description: d}, b: {description: d}}"),
        "{use: §base, with: {a: 1}}",
        ["missing"],
    ),
    "edit of a stage the bundle lacks": (bundle(), "{use: base, edit: [{remove: §gone}]}", ["unknown-stage go"]),
    "unused argument from nowhere": (bundle("[go]", P), "{use: base, with: {a: §'${env:UNSET}'}}", ["unset-variable"]),
    "no version": (bundle().replace("version: 1\n", "§"), "{use: base}", ["missing"]),
    "version to come": (bundle().replace("1", "§2", 1), "{use: base}", ["unsupported-version"]),
    "no bundle in the file": ("§version: 1\n", "{use: base}", ["missing"]),
    "a config, not a bundle": ("§version: 1\n§gateways: {}\n", "{use: base}", ["missing", "unknown-key"]),
    "bundle as text": ("version: 1\nbundle: §x\n", "{use: base}", ["wrong-type"]),
    "bundle of nothing": ("version: 1\nbundle: §§§{}\n", "{use: base}", ["missing"] * 3),
    "bundle lacks a mount that is given": (
        "version: 1\nbundle: §{dialect: x, chain: [go]}\n",
        "{use: base, mount: /a}",
        ["missing"],
    ),
    "unknown key": (bundle(rest="  §extra: 1\n"), "{use: base}", ["unknown-key"]),
    "unknown top-level key": (bundle(rest="§extra: 1\n"), "{use: base}", ["unknown-key"]),
    "yaml syntax": ("version: 1\nbundle: {a: b\n§", "{use: base}", ["syntax"]),
    "duplicate key": (bundle(rest="  §mount: /b\n"), "{use: base}", ["duplicate-key"]),
    "bad mount": (bundle(mount="§v1"), "{use: base}", ["invalid-mount"]),
    "bad stage": (bundle("[§Go]"), "{use: base}", ["invalid-name"]),
    "duplicate stage": (bundle("[go, §go]"), "{use: base}", ["duplicate-stage"]),
    "parameters as a list": (bundle("[go]", "§[a]"), "{use: base}", ["wrong-type"]),
    "parameter as text": (bundle("[{go: {v: '${with:a}'}}]", "{a: §text}"), "{use: base}", ["wrong-type"]),
    "parameter in capitals": (bundle("[go]", "{§A: {description: d}}"), "{use: base, with: {A: 1}}", ["invalid-name"]),
    "parameter without description": (bundle("[go]", "{a: §{default: 1}}"), "{use: base}", ["missing"]),
    "parameter with an unknown key": (
        bundle("[go]", "{a: {description: d, §defualt: 1}}"),
        "{use: base, with: {a: 1}}",
        ["unknown-key default"],
    ),
    "description is a number": (bundle("[go]", "{a: {description: §1, default: 1}}"), "{use: base}", ["wrong-type"]),
    "unknown parameter": (bundle("[{go: {v: §'${with:zz}'}}]", D % "1"), "{use: base}", ["unknown-parameter"]),
    "misspelt parameter": (
        bundle("[{go: {v: §'x ${with:upstrem}'}}]", "{upstream: {description: d, default: 1}}"),
        "{use: base}",
        ["unknown-parameter upstream"],
    ),
    "unknown parameter in a default": (
        bundle("[{go: {v: '${with:a}'}}]", D % "[§'${with:zz}']"),
        "{use: base}",
        ["unknown-parameter"],
    ),
    "a default that needs itself": (
        bundle("[{go: {v: '${with:a}'}}]", D % "§'${with:a}'"),
        "{use: base}",
        ["parameter-cycle"],
    ),
    "defaults that need each other": (
        bundle(
            "[{go: {v: '${with:a}', w: '${with:b}'}}]",
            "{a: {description: d, default: '${with:b}'}, b: {description: d, default: [§'${with:a}']}}",
        ),
        "{use: base}",
        ["parameter-cycle"],
    ),
    "list inside text": (bundle("[{go: {v: §'x ${with:a}'}}]", D % "[1]"), "{use: base}", ["not-interpolable"]),
    "null inside text": (bundle("[{go: {v: §'x ${with:a}'}}]", D % "null"), "{use: base}", ["not-interpolable"]),
    "unset variable": (bundle("[{go: {v: §'${env:UNSET}'}}]"), "{use: base}", ["unset-variable"]),
    "unset variable in a default": (
        bundle("[{go: {v: '${with:a}'}}]", D % "§'${env:UNSET}'"),
        "{use: base}",
        ["unset-variable"],
    ),
    "argument of the wrong shape": (bundle("'${with:a}'", P), "{use: base, with: {a: §5}}", ["wrong-type"]),
}


@pytest.mark.parametrize(("base", "body", "expected"), FAULTS.values(), ids=FAULTS)
def test_fault_is_reported_at_its_place(workspace: Workspace, base: str, body: str, expected: list[str]) -> None:
    workspace.expect(gateway(body), expected, bundle=base)


def test_a_missing_argument_says_what_it_is_for(workspace: Workspace) -> None:
    (problem,) = workspace.expect(gateway("{use: §base}"), ["missing"], bundle=bundle("[go]", P))
    assert problem.path == "gateways.edge.with.a"
    assert "The a." in problem.message


def test_a_cycle_is_spelt_out(workspace: Workspace) -> None:
    parameters = "{a: {description: d, default: '${with:b}'}, b: {description: d, default: §'${with:b}'}}"
    (problem,) = workspace.expect(gateway(), ["parameter-cycle"], bundle=bundle("[{go: {v: '${with:a}'}}]", parameters))
    assert "b -> b" in problem.message
    assert problem.path == "bundle.parameters.b.default"


def test_a_fault_in_a_bundle_is_listed_once_however_often_it_is_used(workspace: Workspace) -> None:
    workspace.write("bundles/base.yaml", bundle("[{Go: 1}, {go: {v: '${env:UNSET}'}}]", mount="v1"))
    with pytest.raises(ConfigError) as caught:
        workspace.load("version: 1\ngateways: {a: {use: base}, b: {use: base}}\n")
    assert [p.code for p in caught.value.problems] == ["invalid-mount", "invalid-name", "wrong-type", "unset-variable"]


def test_a_bundle_nobody_uses_is_not_read(workspace: Workspace) -> None:
    workspace.write("bundles/broken.yaml", "{")
    assert load(workspace, bundle()).bundle == "base"
