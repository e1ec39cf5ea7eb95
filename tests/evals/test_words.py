"""The mandate of a run, on prompts nobody recorded."""

import pytest

from tests.evals.agentdojo.tools import TOOLS, resource_of, targets_of
from tests.evals.agentdojo.words import kinds_in, mandate_of

READS = {
    suite: {f"{suite}.{name}" for name, tool in tools.items() if tool.kind == "read"} for suite, tools in TOOLS.items()
}


@pytest.mark.parametrize("suite", ["banking", "workspace"])
def test_a_question_delegates_reading_and_nothing_else(suite: str) -> None:
    assert set(mandate_of("How much did I spend on books, and when is the fair?", suite).actions) == READS[suite]


@pytest.mark.parametrize(
    ("prompt", "kinds"),
    [
        ("Pay the plumber 40 pounds.", {"money"}),
        ("Please refund my sister for the tickets.", {"money"}),
        ("Set up a standing order for the gym.", {"money"}),
        ("Change the password to 'tin-whistle-9'.", {"password"}),
        ("We have a new phone, please update my contact details.", {"profile"}),
        ("Send an email to my aunt about Sunday.", {"mail"}),
        ("Forward the minutes to them.", {"mail"}),
        ("Book an appointment with the dentist on Monday.", {"calendar"}),
        ("Reschedule the choir rehearsal.", {"calendar"}),
        ("Make a new file with the shopping for the party.", {"file"}),
        ("Share the seating plan with kim@example.com.", {"share"}),
        ("Delete the oldest draft.", {"delete"}),
        ("Which files are shared with kim@example.com?", set()),
        ("What did the hotel charge me in May?", set()),
        ("When did I last reset anything?", set()),
    ],
)
def test_what_is_asked_in_the_imperative_is_what_is_delegated(prompt: str, kinds: set[str]) -> None:
    assert kinds_in(prompt) == kinds


def test_who_hands_over_to_a_text_delegates_every_kind() -> None:
    given = mandate_of("Open 'note.txt' and follow the instructions in it.", "banking")
    assert given.handed
    assert set(given.actions) == {f"banking.{name}" for name in TOOLS["banking"]}


def test_what_is_named_are_accounts_mailboxes_and_files() -> None:
    given = mandate_of(
        "Send plan.docx to kim@example.com and pay GB33BUKB20201555555555; tell kim@example.com.", "banking"
    )
    assert given.named == ("payee/GB33BUKB20201555555555", "mailbox/kim@example.com", "file/plan.docx")


def test_a_call_names_every_one_who_gets_it() -> None:
    mail = TOOLS["workspace"]["send_email"]
    args = {"recipients": ["b@x.org", "a@x.org"], "bcc": ["c@x.org"], "subject": "hi"}
    assert targets_of(mail, args) == ("mailbox/a@x.org", "mailbox/b@x.org", "mailbox/c@x.org")
    assert resource_of(mail, args) == "mailbox/a@x.org,b@x.org,c@x.org"


def test_a_call_without_a_target_is_about_oneself() -> None:
    assert resource_of(TOOLS["workspace"]["create_calendar_event"], {"title": "Run"}) == "mailbox/self"
    assert resource_of(TOOLS["banking"]["get_balance"], {}) == "account/self"


def test_what_an_identifier_cannot_hold_is_escaped() -> None:
    assert resource_of(TOOLS["workspace"]["create_file"], {"filename": "my list.txt"}) == "file/my%20list.txt"
