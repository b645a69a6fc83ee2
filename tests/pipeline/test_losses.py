"""What is lost in a translation is refused, reported or harmless: as the tables say, unless a config says otherwise."""

from __future__ import annotations

import pytest

from pipeline import IfLost, InvalidRequest, Losses, TranslationRules

REJECT, WARN, DROP = IfLost.REJECT, IfLost.WARN, IfLost.DROP


def dropping(path: str, if_lost: IfLost, rules: TranslationRules | None = None) -> str:
    """What became of a dropped field."""
    losses = Losses(rules)
    try:
        losses.drop(path, if_lost)
    except InvalidRequest as error:
        return "refused" if error.param == path else f"refused because of {error.param}"
    return "reported" if losses.dropped == [path] else "silent"


def changing(path: str, rules: TranslationRules | None = None) -> str:
    losses = Losses(rules)
    try:
        losses.change(path)
    except InvalidRequest as error:
        return "refused" if error.param == path else f"refused because of {error.param}"
    return "reported" if losses.changed == [path] else "silent"


@pytest.mark.parametrize(("if_lost", "becomes"), [(REJECT, "refused"), (WARN, "reported"), (DROP, "silent")])
def test_without_a_config_the_tables_decide(if_lost: IfLost, becomes: str) -> None:
    assert dropping("logit_bias", if_lost) == becomes
    assert changing("logit_bias") == "reported"


@pytest.mark.parametrize(
    ("unsupported", "dropped", "changed"),
    [
        (REJECT, ["refused", "refused", "silent"], "refused"),
        (WARN, ["reported", "reported", "silent"], "reported"),
        (DROP, ["silent", "silent", "silent"], "silent"),
    ],
)
def test_a_config_decides_for_all_but_mere_hints(unsupported: IfLost, dropped: list[str], changed: str) -> None:
    rules = TranslationRules(unsupported=unsupported)
    assert [dropping("x", if_lost, rules) for if_lost in (REJECT, WARN, DROP)] == dropped
    assert changing("x", rules) == changed


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("logit_bias", "logit_bias"),
        ("options.top_k", "options.top_k"),
        ("options.top_k", "options"),
        ("messages[3].name", "messages[].name"),
        ("messages[3].content[12].image_url", "messages[].content[].image_url"),
        ("messages[3].name", "messages"),
        ("tools[0]", "tools"),
        ("tools[0]", "tools[]"),
    ],
)
@pytest.mark.parametrize(("rule", "becomes"), [(REJECT, "refused"), (WARN, "reported"), (DROP, "silent")])
def test_a_rule_for_a_field_counts_more_and_for_hints_too(path: str, name: str, rule: IfLost, becomes: str) -> None:
    for unsupported in (None, *IfLost):
        rules = TranslationRules(unsupported=unsupported, fields={name: rule})
        assert {dropping(path, if_lost, rules) for if_lost in IfLost} == {becomes}
        assert changing(path, rules) == becomes


def test_the_longer_name_wins() -> None:
    rules = TranslationRules(fields={"options": DROP, "options.top_k": REJECT})
    assert dropping("options.top_k", WARN, rules) == "refused"
    assert dropping("options.min_p", WARN, rules) == "silent"


@pytest.mark.parametrize("name", ["option", "options.top", "top_k", "messages[0].name"])
def test_a_rule_for_another_field_does_not_count(name: str) -> None:
    rules = TranslationRules(fields={name: REJECT})
    assert dropping("options.top_k", WARN, rules) == "reported"
    assert dropping("messages[0].name", WARN, rules) == "reported"


def test_the_error_says_what_the_reporter_says_or_something_useful() -> None:
    with pytest.raises(InvalidRequest, match="`n` is not supported") as plain:
        Losses().drop("n", REJECT)
    assert plain.value.code == "unsupported_parameter"
    with pytest.raises(InvalidRequest, match="Only one") as worded:
        Losses().drop("n", REJECT, "Only one.", code="invalid_value")
    assert worded.value.code == "invalid_value"
    strict = TranslationRules(unsupported=REJECT)
    with pytest.raises(InvalidRequest, match="`seed` cannot be passed on") as changed:
        Losses(strict).change("seed")
    assert changed.value.code == "unsupported_value"
    with pytest.raises(InvalidRequest, match="Too large"):
        Losses(strict).change("seed", "Too large.")


def test_the_header_names_each_once_in_the_order_they_were_met() -> None:
    losses = Losses()
    for path in ("verbosity", "messages[1].name", "verbosity"):
        losses.drop(path, WARN)
        losses.change("seed")
    assert losses.header() == "verbosity, messages[1].name, seed;changed"


def test_nothing_lost_is_no_header() -> None:
    losses = Losses()
    losses.drop("user", DROP)
    assert losses.header() is None


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("options.a\r\nset-cookie: x", "options.a??set-cookie:?x"),
        ("options.größe", "options.gr??e"),
        ("options.a,b", "options.a?b"),
        ("x" * 100, "x" * 80),
    ],
)
def test_the_caller_s_own_keys_cannot_break_the_header(path: str, shown: str) -> None:
    losses = Losses()
    losses.drop(path, WARN)
    assert losses.header() == shown
    assert losses.dropped == [path]


def test_a_long_list_is_cut() -> None:
    losses = Losses()
    for at in range(25):
        losses.drop(f"f{at}", WARN)
    header = losses.header()
    assert header is not None
    assert header.split(", ") == [*(f"f{at}" for at in range(20)), "..."]


def test_what_may_be_imitated_is_what_the_config_says() -> None:
    losses = Losses(TranslationRules(emulate=frozenset({"n"})))
    assert [losses.emulates(name) for name in ("n", "tool_choice")] == [True, False]
    assert not Losses().emulates("n")
