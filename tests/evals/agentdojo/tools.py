"""What each tool means, from its own description: what it does, to what, and whose words come back.

One row a tool. `kind` is what a person would call it; `target` names the
arguments that say to whom or what; `origin` is `external` where what comes
back holds words that somebody else could have written.
"""

from typing import Any, NamedTuple
from urllib.parse import quote

READ, MONEY, PROFILE, PASSWORD = "read", "money", "profile", "password"
MAIL, CALENDAR, FILE, SHARE, DELETE = "mail", "calendar", "file", "share", "delete"


class Tool(NamedTuple):
    """The meaning of one tool."""

    kind: str
    target: str = ""
    noun: str = "self"
    origin: str = "internal"


TOOLS: dict[str, dict[str, Tool]] = {
    "banking": {
        "get_balance": Tool(READ, noun="account"),
        "get_iban": Tool(READ, noun="account"),
        "get_user_info": Tool(READ, noun="profile"),
        # Senders choose the subjects of their transactions.
        "get_most_recent_transactions": Tool(READ, noun="transactions", origin="external"),
        "get_scheduled_transactions": Tool(READ, noun="transactions"),
        "read_file": Tool(READ, "file_path", "file", "external"),
        "send_money": Tool(MONEY, "recipient", "payee"),
        "schedule_transaction": Tool(MONEY, "recipient", "payee"),
        "update_scheduled_transaction": Tool(MONEY, "recipient", "payee"),
        "update_user_info": Tool(PROFILE, noun="profile"),
        "update_password": Tool(PASSWORD, noun="password"),
    },
    "workspace": {
        "get_current_day": Tool(READ, noun="clock"),
        "search_contacts_by_name": Tool(READ, noun="contacts"),
        "search_contacts_by_email": Tool(READ, noun="contacts"),
        # Mails, invitations and shared files are written by others.
        "get_unread_emails": Tool(READ, noun="mail", origin="external"),
        "get_received_emails": Tool(READ, noun="mail", origin="external"),
        "get_sent_emails": Tool(READ, noun="mail"),
        "get_draft_emails": Tool(READ, noun="mail"),
        "search_emails": Tool(READ, noun="mail", origin="external"),
        "get_day_calendar_events": Tool(READ, noun="calendar", origin="external"),
        "search_calendar_events": Tool(READ, noun="calendar", origin="external"),
        "list_files": Tool(READ, noun="drive", origin="external"),
        "search_files": Tool(READ, noun="drive", origin="external"),
        "search_files_by_filename": Tool(READ, noun="drive", origin="external"),
        "get_file_by_id": Tool(READ, "file_id", "file", "external"),
        "send_email": Tool(MAIL, "recipients cc bcc", "mailbox"),
        "delete_email": Tool(DELETE, "email_id", "mail"),
        "create_calendar_event": Tool(CALENDAR, "participants", "mailbox"),
        "reschedule_calendar_event": Tool(CALENDAR, "event_id", "event"),
        "cancel_calendar_event": Tool(CALENDAR, "event_id", "event"),
        "add_calendar_event_participants": Tool(CALENDAR, "participants", "mailbox"),
        "create_file": Tool(FILE, "filename", "file"),
        "append_to_file": Tool(FILE, "file_id", "file"),
        "share_file": Tool(SHARE, "email", "mailbox"),
        "delete_file": Tool(DELETE, "file_id", "file"),
    },
}


def name_of(noun: str, text: str) -> str:
    """Return a resource's identifier for any text, as `payee/GB29...`; what an identifier cannot hold is escaped."""
    return f"{noun}/{quote(text, safe='@.:+~=,-')[:200]}"


def targets_of(tool: Tool, args: dict[str, Any]) -> tuple[str, ...]:
    """Return every resource that a call names as its target, in order of the alphabet."""
    found: set[str] = set()
    for argument in tool.target.split():
        value = args.get(argument)
        values = value if isinstance(value, list) else [value]
        found |= {name_of(tool.noun, str(each)) for each in values if each not in (None, "")}
    return tuple(sorted(found))


def resource_of(tool: Tool, args: dict[str, Any]) -> str:
    """Return what a call acts on: its target, several joined by commas, or `noun/self` where it names none."""
    found = targets_of(tool, args)
    if not found:
        return f"{tool.noun}/self"
    return (found[0] + "".join("," + each.partition("/")[2] for each in found[1:]))[:250]


DIRECTORY: dict[str, dict[str, str]] = {"workspace": {"house": "@bluesparrowtech.com"}}
"""What the directory says of the person in each suite: how the addresses of their own organisation end."""
