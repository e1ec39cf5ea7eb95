"""The command `placet`: a table of its verbs, and the one place where it starts."""

import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Annotated

import typer

import placet
from placet.faces.cli import (
    acls_apply,
    acls_show,
    approvals_approve,
    approvals_inbox,
    approvals_list,
    approvals_reject,
    approvals_show,
    audit,
    bench,
    context,
    decide,
    demo,
    doctor,
    halt,
    identity,
    keys_add,
    keys_init,
    keys_list,
    keys_new,
    keys_put,
    keys_revoke,
    keys_rotate,
    ledger_checkpoint,
    ledger_complete,
    ledger_fsck,
    ledger_rotate,
    ledger_serve,
    limits_show,
    mandate_grant,
    mandate_narrow,
    mandate_revoke,
    mandate_show,
    mandate_suspend,
    notary,
    policy_activate,
    policy_bench,
    policy_check,
    policy_diff,
    policy_explain,
    policy_fmt,
    policy_lint,
    policy_push,
    policy_rollback,
    policy_test,
    policy_watch,
    prove,
    publish_calendar,
    publish_mandate,
    publish_principal,
    publish_risk,
    publish_sensitivity,
    replay,
    resume,
    schema_check,
    schema_register,
    settle,
    show,
    submit,
    tail,
    topics_apply,
    topics_diff,
    up,
    verify,
    watermark,
    withdraw,
    witness,
    worker,
)
from placet.faces.cli.verb import Exit, add, fail

GROUPS = {
    "topics": "The topics of a Kafka cluster.",
    "acls": "Who may do what on a Kafka cluster.",
    "keys": "The keys this installation believes.",
    "publish": "Say what is known: risk, sensitivity, principals, mandates, calendar.",
    "mandate": "Delegated authority: grant, narrow, suspend, revoke, and draw its chains.",
    "ledger": "The provenance log: its checkpoint and key, whether it is sound and complete, and serving it.",
    "limits": "What is held and spent of limits.",
    "approvals": "What waits for people: list, show, approve, reject.",
    "policy": "Policy packs: check, lint, test, explain, compare, lay out, measure, watch, and put them into service.",
    "schema": "The schemas of what travels.",
}
"""Verbs of two words, by their first."""
VERBS: tuple[tuple[str, str, ModuleType], ...] = (
    ("", "up", up),
    ("", "demo", demo),
    ("", "worker", worker),
    ("", "context", context),
    ("", "notary", notary),
    ("", "watermark", watermark),
    ("", "witness", witness),
    ("", "submit", submit),
    ("", "decide", decide),
    ("", "tail", tail),
    ("", "show", show),
    ("", "prove", prove),
    ("", "verify", verify),
    ("", "withdraw", withdraw),
    ("", "settle", settle),
    ("", "halt", halt),
    ("", "resume", resume),
    ("", "audit", audit),
    ("", "replay", replay),
    ("", "identity", identity),
    ("", "bench", bench),
    ("", "doctor", doctor),
    ("topics", "apply", topics_apply),
    ("topics", "diff", topics_diff),
    ("acls", "show", acls_show),
    ("acls", "apply", acls_apply),
    ("keys", "init", keys_init),
    ("keys", "add", keys_add),
    ("keys", "new", keys_new),
    ("keys", "put", keys_put),
    ("keys", "rotate", keys_rotate),
    ("keys", "revoke", keys_revoke),
    ("keys", "list", keys_list),
    ("publish", "risk", publish_risk),
    ("publish", "sensitivity", publish_sensitivity),
    ("publish", "principal", publish_principal),
    ("publish", "mandate", publish_mandate),
    ("publish", "calendar", publish_calendar),
    ("mandate", "grant", mandate_grant),
    ("mandate", "narrow", mandate_narrow),
    ("mandate", "show", mandate_show),
    ("mandate", "suspend", mandate_suspend),
    ("mandate", "revoke", mandate_revoke),
    ("ledger", "checkpoint", ledger_checkpoint),
    ("ledger", "fsck", ledger_fsck),
    ("ledger", "complete", ledger_complete),
    ("ledger", "serve", ledger_serve),
    ("ledger", "rotate", ledger_rotate),
    ("limits", "show", limits_show),
    ("policy", "check", policy_check),
    ("policy", "test", policy_test),
    ("policy", "explain", policy_explain),
    ("policy", "lint", policy_lint),
    ("policy", "fmt", policy_fmt),
    ("policy", "diff", policy_diff),
    ("policy", "bench", policy_bench),
    ("policy", "watch", policy_watch),
    ("policy", "push", policy_push),
    ("policy", "activate", policy_activate),
    ("policy", "rollback", policy_rollback),
    ("approvals", "list", approvals_list),
    ("approvals", "show", approvals_show),
    ("approvals", "approve", approvals_approve),
    ("approvals", "reject", approvals_reject),
    ("approvals", "inbox", approvals_inbox),
    ("schema", "check", schema_check),
    ("schema", "register", schema_register),
)
"""Every verb: its group, its name, and the module that has `run`, EXAMPLE and EXITS."""

app = typer.Typer(
    name="placet",
    no_args_is_help=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Runtime identity for software that acts on its own: may this action by this agent for this person happen now?",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"placet {placet.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _register() -> None:
    groups = {name: typer.Typer(help=text, no_args_is_help=False) for name, text in GROUPS.items()}
    for name, group in groups.items():
        app.add_typer(group, name=name)
    for group_name, name, module in VERBS:
        add(groups.get(group_name, app), name, module.run, example=module.EXAMPLE, exits=module.EXITS)


_register()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `placet` with `arguments` (else those of the process) and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (len(given) == 1 and given[0] in GROUPS):
        given.append("--help")
    try:
        return int(typer.main.get_command(app).main(args=given, prog_name="placet", standalone_mode=False) or 0)
    except typer.Abort:
        return Exit.FINE
    except Exception as error:
        # Typer has no public class for a wrong argument; what it raises can say itself and knows its exit code.
        describe = getattr(error, "format_message", None)
        if describe is None:
            raise
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "placet"
        message = " ".join(str(describe()).split()).rstrip(".").replace(": Input should", ": should")
        return int(
            fail(f"{path}: {message[:1].lower()}{message[1:]}", f"{path} --help", Exit.USAGE, as_json="--json" in given)
        )


def run() -> None:
    """Run `placet` as a process, and end it."""
    code = main()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
