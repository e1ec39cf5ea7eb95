"""Whom a checkpoint is believed from (C2SP tlog-policy): logs, witnesses, and how many of them must agree."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from placet.provenance.checkpoint import Checkpoint, read_checkpoint
from placet.provenance.cosignature import CosignatureVerifier
from placet.provenance.notes import Ed25519Verifier, Note, Verifier, read_vkey, verify

NONE: Final = "none"
"""The quorum that asks for no witness."""
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_FORMS: Final = "expected `log KEY [URL]`, `witness NAME KEY [URL]`, `group NAME all|any|N NAME...` or `quorum NAME`"


class WitnessLine(NamedTuple):
    """A witness, and where it is asked."""

    verifier: CosignatureVerifier
    url: str


@dataclass(slots=True)
class TrustPolicy:
    """What a tlog-policy file says."""

    logs: list[Ed25519Verifier] = field(default_factory=list)
    witnesses: dict[str, WitnessLine] = field(default_factory=dict)
    groups: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str = ""

    def reached(self, cosigned: Iterable[str]) -> bool:
        """Say whether the witnesses named in `cosigned`, by their names here, make the quorum."""
        return self.quorum == NONE or self._agrees(self.quorum, frozenset(cosigned))

    def _agrees(self, name: str, cosigned: frozenset[str]) -> bool:
        if name in self.witnesses:
            return name in cosigned
        least, members = self.groups[name]
        return sum(self._agrees(member, cosigned) for member in members) >= least

    def cosigners(self, note: Note) -> set[str]:
        """Return which witnesses signed a note that was verified with their keys."""
        signed = {(line.name, line.key_id) for line in note.signatures}
        return {name for name, (key, _) in self.witnesses.items() if (key.name, key.key_id) in signed}

    def open(self, data: bytes) -> tuple[Checkpoint, Note]:
        """Return the head that a note says, and the note; raise ValueError where it is not to be believed."""
        known: list[Verifier] = [*self.logs, *(witness.verifier for witness in self.witnesses.values())]
        note = verify(data, known)
        head = read_checkpoint(note.text)
        keys = {(key.name, key.key_id) for key in self.logs}
        if head.origin not in {key.name for key in self.logs}:
            names = "` or `".join(sorted({key.name for key in self.logs}))
            raise ValueError(f"a checkpoint of `{head.origin}`, expected one of `{names}`")
        if not any((line.name, line.key_id) in keys and line.name == head.origin for line in note.signatures):
            raise ValueError(f"no known key of `{head.origin}` signed this checkpoint")
        if not self.reached(self.cosigners(note)):
            raise ValueError(f"the witnesses who cosigned do not make the quorum `{self.quorum}`")
        return head, note


def read_policy(text: str) -> TrustPolicy:
    """Return what a policy file says; raise ValueError, naming the line, for whatever is not understood."""
    policy, used = TrustPolicy(), set[str]()
    for number, line in enumerate(text.split("\n"), 1):
        try:
            if _ODD.search(line):
                raise ValueError("a control character that is no tab")
            words = re.findall(r"[^ \t]+", line)
            if words and not words[0].startswith("#"):
                _take(policy, words, used)
        except ValueError as fault:
            raise ValueError(f"line {number}: {fault}") from None
    if not policy.quorum:
        raise ValueError("no quorum: expected a line `quorum NAME` or `quorum none`")
    return policy


def _take(policy: TrustPolicy, words: list[str], used: set[str]) -> None:
    match words:
        case ["log", vkey, *rest] if len(rest) < 2:
            policy.logs.append(Ed25519Verifier.read(vkey))
            _expect_new(read_vkey(vkey)[1], used)
        case ["witness", name, vkey, *rest] if len(rest) < 2:
            witness = CosignatureVerifier.read(vkey)
            _expect_free(policy, name)
            _expect_new(read_vkey(vkey)[1], used)
            policy.witnesses[name] = WitnessLine(witness, rest[0] if rest else "")
        case ["group", name, least, *members] if members:
            _expect_free(policy, name)
            _expect_members(policy, members, used)
            policy.groups[name] = _least(least, len(members)), tuple(members)
        case ["quorum", name]:
            if policy.quorum:
                raise ValueError("a second quorum, expected one")
            if name != NONE and not _known(policy, name):
                raise ValueError(f"`{name}` is not named above, expected a witness, a group or `{NONE}`")
            policy.quorum = name
        case _:
            raise ValueError(_FORMS)


def _known(policy: TrustPolicy, name: str) -> bool:
    return name in policy.witnesses or name in policy.groups


def _expect_free(policy: TrustPolicy, name: str) -> None:
    if name == NONE or _known(policy, name):
        raise ValueError(f"`{name}` stands already")


def _expect_new(key: bytes, used: set[str]) -> None:
    # No name of the file holds a space, so a key is never taken for a member.
    if (word := f"key {key.hex()}") in used:
        raise ValueError("this key stands already")
    used.add(word)


def _expect_members(policy: TrustPolicy, members: list[str], used: set[str]) -> None:
    for member in members:
        if not _known(policy, member) or member in used:
            raise ValueError(f"`{member}` is not named above, or stands in a group already")
        used.add(member)


def _least(word: str, count: int) -> int:
    if word in ("any", "all"):
        return 1 if word == "any" else count
    if not (word.isascii() and word.isdigit() and str(int(word)) == word and 1 <= int(word) <= count):
        raise ValueError(f"`{word}` of {count} members, expected any, all or a number of them")
    return int(word)
