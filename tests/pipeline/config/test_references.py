"""`${env:...}` and `${file:...}`: what they become, what is refused where, and that a value never shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ConfigDict, field_validator

from pipeline.config import Document, Problem, plain, validate

if TYPE_CHECKING:
    from tests.pipeline.config.conftest import Workspace

SECRET = "hunter2-hunter2"
ENVIRON = {"KEY": SECRET, "PORT": "8080", "EMPTY": "", "TRICK": "${env:KEY} ${ $${", "my.key-1": "dashed"}


GATEWAYS = "gateways: {edge: {dialect: x, mount: /v1, chain: [go]}}"


def config(value: str) -> str:
    """A config with this text (as YAML) in one resource setting."""
    return f"version: 1\nresources:\n  g:\n    n: {{v: {value}}}\n{GATEWAYS}\n"


def setting(document: Document) -> Any:
    return plain(document.resources[0].settings)["v"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${env:KEY}", SECRET),
        ("Bearer ${env:KEY}!", f"Bearer {SECRET}!"),
        ("${env:KEY}${env:PORT}", f"{SECRET}8080"),
        ("${env:PORT}", "8080"),
        ("${env:my.key-1}", "dashed"),
        ("${env:TRICK}", "${env:KEY} ${ $${"),
        ("<${env:TRICK}>", "<${env:KEY} ${ $${>"),
        ("$${env:KEY}", "${env:KEY}"),
        ("a $${ b", "a ${ b"),
        ("$$${env:KEY}", "$${env:KEY}"),
        ("$5, $env, {x} $$", "$5, $env, {x} $$"),
        ("${file:key.txt}", "from a file"),
        ("${file:sub/two.txt}", "two\n"),
        ("${file:crlf.txt}", "line"),
        ("[${file:key.txt}]", "[from a file]"),
    ],
)
def test_expansion(workspace: Workspace, written: str, value: str) -> None:
    (workspace.folder / "key.txt").write_bytes(b"from a file\n")
    (workspace.folder / "sub").mkdir()
    (workspace.folder / "sub/two.txt").write_bytes(b"two\n\n")
    (workspace.folder / "crlf.txt").write_bytes(b"line\r\n")
    assert setting(workspace.load(config(f"'{written}'"), environ=ENVIRON)) == value


def test_an_absolute_path(workspace: Workspace) -> None:
    (workspace.folder / "key.txt").write_text("abc")
    assert setting(workspace.load(config(f"'${{file:{workspace.folder}/key.txt}}'"))) == "abc"


def test_references_are_expanded_at_any_depth_but_not_in_keys(workspace: Workspace) -> None:
    document = workspace.load(config("[{'${env:KEY}': ['${env:PORT}']}, 5, ~]"), environ=ENVIRON)
    assert setting(document) == [{"${env:KEY}": ["8080"]}, 5, None]


def test_every_format_has_references(workspace: Workspace) -> None:
    resources = 'version = 1\n[resources.g.n]\nv = "${env:KEY}"\n'
    gateways = '[gateways.edge]\ndialect = "x"\nmount = "/v1"\nchain = ["go"]\n'
    assert setting(workspace.load(resources + gateways, name="gateway.toml", environ=ENVIRON)) == SECRET


FAULTS: dict[str, tuple[str, list[str]]] = {
    "unset": ("§'${env:NOPE}'", ["unset-variable"]),
    "empty": ("§'${env:EMPTY}'", ["empty-variable"]),
    "unset within text": ("§'a ${env:NOPE} b'", ["unset-variable"]),
    "each fault of one text": ("§§'${env:NOPE} ${env:EMPTY}'", ["unset-variable", "empty-variable"]),
    "no such file": ("§'${file:nope}'", ["unreadable-file"]),
    "a folder": ("§'${file:bundles}'", ["unreadable-file"]),
    "a path with a zero byte": ('§"${file:a\\0b}"', ["unreadable-file"]),
    "not text": ("§'${file:binary}'", ["unreadable-file"]),
    "a huge file": ("§'${file:huge}'", ["unreadable-file"]),
    "an empty file": ("§'${file:empty}'", ["empty-file"]),
    "a file with a newline only": ("§'${file:newline}'", ["empty-file"]),
    "unknown scheme": ("§'${vault:KEY}'", ["unknown-scheme"]),
    "misspelt scheme": ("§'${evn:KEY}'", ["unknown-scheme env"]),
    "scheme in capitals": ("§'${ENV:KEY}'", ["unknown-scheme"]),
    "spaces": ("§'${ env:KEY }'", ["unknown-scheme env"]),
    "with outside a bundle": ("§'${with:KEY}'", ["unknown-scheme"]),
    "no scheme": ("§'${KEY}'", ["reference-syntax ${env:KEY}"]),
    "no name": ("§'${env:}'", ["reference-syntax"]),
    "nothing": ("§'${}'", ["reference-syntax"]),
    "unterminated": ("§'a ${env:KEY'", ["reference-syntax"]),
    "unterminated at the end": ("§'${'", ["reference-syntax"]),
    "nested": ("§'${env:${env:KEY}}'", ["reference-syntax"]),
    "name with a space": ("§'${env:A B}'", ["reference-syntax"]),
    "name of a shell default": ("§'${env:A:-b}'", ["reference-syntax"]),
    "every one in a tree": ("[§'${env:NOPE}', {a: §'${x:y}'}]", ["unset-variable", "unknown-scheme"]),
}


@pytest.mark.parametrize(("value", "expected"), FAULTS.values(), ids=FAULTS)
def test_fault_is_reported_at_its_place(workspace: Workspace, value: str, expected: list[str]) -> None:
    (workspace.folder / "binary").write_bytes(b"\xff\xfe")
    (workspace.folder / "huge").write_bytes(b"x" * (1 << 20) + b"x")
    (workspace.folder / "empty").write_bytes(b"")
    (workspace.folder / "newline").write_bytes(b"\n")
    workspace.expect(config(value), expected, environ=ENVIRON)


def test_a_lost_value_causes_no_second_problem(workspace: Workspace) -> None:
    lost = "§'${env:NOPE}'"
    workspace.expect(
        f"version: {lost}\n"
        f"resources: {lost}\n"
        "gateways:\n"
        f"  a: {lost}\n"
        f"  b: {{use: {lost}, mount: {lost}, edit: {lost}}}\n"
        f"  c: {{dialect: {lost}, mount: /c, chain: {lost}}}\n"
        f"  d: {{dialect: x, mount: /d, chain: [{lost}, {{id: {lost}, auth: {lost}}}, {{id: {lost}, limit: }}]}}\n",
        ["unset-variable"] * 12,
    )


def test_a_secret_shows_in_no_repr(workspace: Workspace) -> None:
    document = workspace.load(
        "version: 1\n"
        "resources: {g: {n: {v: '${env:KEY}', w: ['x ${env:KEY}']}}}\n"
        "gateways: {edge: {dialect: '${env:KEY}', mount: /v1, chain: [{go: {k: '${env:KEY}'}}]}}\n",
        environ=ENVIRON,
    )
    assert document.gateways[0].dialect == SECRET
    assert SECRET not in repr(document)
    assert SECRET not in repr(document.resources[0].settings.value)


def chain(value: str) -> str:
    return f"version: 1\ngateways: {{e: {{dialect: x, mount: /v1, chain: {value}}}}}"


# A value from the environment in every position whose content is checked.
LEAKS = {
    "version": "version: '${env:KEY}'\n" + GATEWAYS,
    "use": "version: 1\ngateways: {e: {use: '${env:KEY}'}}",
    "mount": "version: 1\ngateways: {e: {dialect: x, mount: '${env:KEY}/', chain: [go]}}",
    "gateway": "version: 1\ngateways: {e: '${env:KEY}'}",
    "chain": chain("'${env:KEY}'"),
    "kind": chain("['${env:KEY}']"),
    "settings": chain("[{go: '${env:KEY}'}]"),
    "same id": chain("[{id: '${env:LOW}', a: }, {id: '${env:LOW}', b: }]"),
    "edit": chain("[go], edit: [{remove: '${env:KEY}'}]"),
    "ids listed": chain("[{id: '${env:LOW}', a: }], edit: [{remove: q}]"),
    "id suggested": chain("[{id: '${env:LOW}', a: }], edit: [{remove: zq7-lov}]"),
    "resource": "version: 1\nresources: {g: {n: '${env:KEY}'}}\n" + GATEWAYS,
    "resource kind": "version: 1\nresources: {g: {n: {kind: '${env:KEY}'}}}\n" + GATEWAYS,
    "file": "version: 1\nresources: {g: {n: '${file:secret.txt}'}}\n" + GATEWAYS,
}


@pytest.mark.parametrize("text", LEAKS.values(), ids=LEAKS)
def test_a_secret_shows_in_no_problem(workspace: Workspace, text: str) -> None:
    secret = "Zq7-Secret Value"
    (workspace.folder / "secret.txt").write_text(secret)
    problems = workspace.problems(text, environ={"KEY": secret, "LOW": "zq7-low"})
    for shown in (*map(str, problems), repr(problems)):
        assert "zq7-s" not in shown.lower()
        assert "zq7-low" not in shown


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    count: int = 0
    name: str = ""
    several: list[str] = []

    @field_validator("name")
    @classmethod
    def _quotes_its_input(cls, value: str) -> str:
        raise ValueError(f"{value!r} is no good, {value} is not")

    @field_validator("several")
    @classmethod
    def _quotes_all(cls, value: list[str]) -> list[str]:
        raise ValueError(f"none of {value}")


@pytest.mark.parametrize(
    "body", ["{count: '${env:KEY}'}", "{name: '${env:KEY}'}", "{name: 'a ${env:KEY}'}", "{several: ['${env:KEY}', b]}"]
)
def test_a_secret_shows_in_no_problem_of_a_model(workspace: Workspace, body: str) -> None:
    secret = "zq7\n'\"\\é"
    node = workspace.load(config("1").replace("{v: 1}", body), environ={"KEY": secret}).resources[0].settings
    problems: list[Problem] = []
    assert validate(node, Strict, path="p", problems=problems) is None
    assert [problem.code for problem in problems] == ["invalid-value"]
    assert "zq7" not in str(problems[0])


def test_a_models_message_loses_the_secret_and_nothing_else(workspace: Workspace) -> None:
    text = config("1").replace("{v: 1}", "{name: '${env:KEY}'}")
    node = workspace.load(text, environ={"KEY": "zq7\n'\"\\é"}).resources[0].settings
    problems: list[Problem] = []
    validate(node, Strict, path="p", problems=problems)
    assert problems[0].message == "'***' is no good, *** is not"
