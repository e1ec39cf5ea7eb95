"""The page of a *what if*: whole in itself, well formed, and saying nothing as markup that others wrote."""

from html.parser import HTMLParser
from typing import Any

from placet.faces.replay.changes import Changes
from placet.faces.replay.page import page
from placet.faces.replay.plots import bars, columns

HOSTILE = "<script>alert('&')</script>"
VOID = {"meta", "rect", "line"}


class Seen(HTMLParser):
    """What a reader meets: tags that are closed as they were opened, attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def report() -> dict[str, Any]:
    found = Changes(attempts=9, instants=(1_760_000_000_000, 1_760_000_600_000))
    found.answers.update({("permit", "before"): 9, ("permit", "after"): 7, ("deny", "after"): 2})
    name = {"agent": HOSTILE, "action": "shop.refund", "rules": "shop/refund"}
    found.change(name, "permit", "deny", "blocked", 176_000_000)
    found.change(name, "permit", "step_up", "otherwise", 176_000_900)
    found.people["asked", "after"] = 1
    found.budgets["shop/daily", "before", "spent"] = 120
    found.not_on_record["calendar.week",] = 4
    before = {"effect": "permit", "reason": "permitted", "rules": [HOSTILE]}
    sample = {"before": before, "after": {**before, "effect": "deny"}, "why": [HOSTILE], "instant": 1_760_000_000_000}
    ids = {
        "intent": "00",
        "attempt": 1,
        "tenant": "acme",
        "seq": 0,
        "agent": HOSTILE,
        "action": "a",
        "resource": HOSTILE,
    }
    found.sample("permit to deny", {**ids, **sample})
    return {"packs": ["ab" * 32], "alone": False, **found.to_dict()}


def test_the_page_is_well_formed_and_asks_nobody_for_anything() -> None:
    seen = Seen(page(report(), HOSTILE))
    assert seen.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(seen.tags)
    assert [value for name, value in seen.attributes if name in ("src", "href")] == ["#changes"]
    assert not any(name.startswith("on") for name, _ in seen.attributes)
    assert "default-src 'none'" in page(report(), "payments")
    assert "url(" not in page(report(), "payments")


def test_what_others_wrote_is_text() -> None:
    seen = Seen(page(report(), HOSTILE))
    assert seen.text.count(HOSTILE) >= 5


def test_it_can_be_read_by_keyboard_in_the_dark_and_without_seeing() -> None:
    text = page(report(), "payments")
    seen = Seen(text)
    assert "prefers-color-scheme:dark" in text
    assert ":focus-visible" in text
    assert ("lang", "en") in seen.attributes
    assert ("id", "changes") in seen.attributes
    plots = sum(one == ("role", "img") for one in seen.attributes)
    assert (plots, seen.tags.count("desc")) == (5, 5)
    assert seen.tags.count("summary") == seen.tags.count("details") == 4


def test_every_number_is_in_a_table_too() -> None:
    text = page(report(), "payments")
    for cell in ("shop/daily", "120", "`calendar.week` is wanted, and nothing on record has it", "step_up"):
        assert f"<td>{cell}</td>" in text or f'<td class="n">{cell}</td>' in text


def test_a_page_without_a_change_says_so() -> None:
    text = page({"packs": [], "alone": False, **Changes().to_dict()}, "payments")
    assert "No attempt would have ended otherwise" in text
    assert Seen(text).open == []


def test_bars_are_to_one_scale() -> None:
    drawn = bars("t", [("a", [("permit", 10), ("deny", 10)]), ("b", [("permit", 5)])])
    assert drawn.count('width="215.0"') == 2
    assert drawn.count('width="107.5"') == 1


def test_columns_put_moments_together_where_there_are_many() -> None:
    moments = {number: {"blocked": 1} for number in range(600)}
    drawn = columns("t", moments, ("blocked",))
    assert drawn.count("<rect") == 60
    assert "600 changes over 6000 s" in drawn
    assert columns("t", {}, ("blocked",)) == ""
