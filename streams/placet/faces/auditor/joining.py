"""A case opened again: its facts read from their records, and joined to the intent they were joined to."""

from typing import Any, NamedTuple

from placet.faces.auditor.fading import faded
from placet.faces.auditor.records import Fields, Record, Schemas, Unreadable
from placet.faces.auditor.scopes import halt_covers
from placet.model.topics import Topic

LABELS = ("public", "internal", "confidential", "restricted")
STATUSES = ("active", "suspended", "revoked")
LINKS_MAX = 8
MEDIUM, HIGH = 40, 70
UNKNOWN_WHO, INACTIVE, BROKEN, OUTSIDE, UNKNOWN_AUDIENCE, HALTED = 220, 230, 240, 250, 260, 270
Plain = dict[str, Any]


class Stopped(Exception):
    """The intent was not put before any rule; `reason` says why, `absent` which record was not there, by schema and name."""

    def __init__(self, reason: int, absent: tuple[str, str] | None = None) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.absent = absent


class Odd(Exception):
    """The case holds what no case may hold."""


class Fact(NamedTuple):
    """One fact of a case, decoded."""

    said: Fields
    partition: int


class Joined:
    """What is known: the variables conditions read, instants by fact, the chain, the audience's capabilities.

    `absent` are the facts that rules asked for and nobody had, `limits` what the mandates of the chain carry.
    """

    def __init__(self) -> None:
        self.roots: dict[str, Plain] = {}
        self.known: set[str] = set()
        self.absent: set[str] = set()
        self.observed: dict[str, int] = {}
        self.heard: dict[str, int] = {}
        self.chain: tuple[str, ...] = ()
        self.capabilities: frozenset[str] = frozenset()
        self.mandate_ends = 0
        self.voters: dict[str, Plain] = {}
        self.fallen: set[str] = set()
        self.limits: list[tuple[str, list[Plain]]] = []


class Joiner:
    """Joins one case. Facts stand under their roles; a role that is not there is a fact nobody had."""

    def __init__(self, schemas: Schemas, body: Fields, intent: Record, executor: str = "") -> None:
        self._instant: int = body["instant"]
        self._executor = executor
        self._intent = intent.fields
        self._heard = {(mark["topic"], mark["partition"]): mark["heard_at"] for mark in body["cut"]}
        self._facts: dict[str, list[Fact]] = {}
        for fact in body["facts"]:
            try:
                said = schemas.open(fact["value"]).fields
            except Unreadable as error:
                raise Odd(f"its fact `{fact['role']}` is {error}") from None
            if said.get("tenant") != self._intent["tenant"] and fact["role"] not in ("halt", "voter_key"):
                raise Odd(f"its fact `{fact['role']}` is of tenant `{said.get('tenant')}`")
            self._facts.setdefault(fact["role"], []).append(Fact(said, fact["partition"]))
        self._body = body
        self._out = Joined()

    def join(self) -> Joined:
        """Return what is known; raise Stopped where who asks may not ask, Odd where the case cannot be true."""
        intent, out = self._intent, self._out
        actor, authority = intent["actor"], intent["authority"]
        out.roots["actor"] = self._who("actor", "actor", actor)
        if actor == authority:
            out.roots["authority"] = dict(out.roots["actor"])
            out.known.add("authority")
            out.observed["authority"], out.heard["authority"] = out.observed["actor"], out.heard["actor"]
        else:
            out.roots["authority"] = self._who("authority", "authority", authority)
        self._delegation()
        if intent["audience"]:
            audience = self._who("audience", "audience", intent["audience"])
            out.capabilities = frozenset(audience["capabilities"])
        if self._executor and self._executor != intent["audience"]:
            self._who("executor", "executor", self._executor)
        self._resource()
        out.roots["session"] = {
            "id": intent["session"],
            "origin": self._body["session_origin"],
            "sensitivity": LABELS[self._body["session_rank"]],
            "rank": self._body["session_rank"],
        }
        self._risks()
        self._calendar()
        self._halted()
        self._voters()
        out.roots["intent"] = {name: intent[name] for name in ("action", "purpose", "audience", "emergency", "attempt")}
        return out

    def _halted(self) -> None:
        for row in self._facts.get("halt", ()):
            said = row.said
            ended = 0 < said["expires_at"] <= self._instant
            about = halt_covers(said["tenant"], said["scope"], self._intent, self._out.chain, self._executor)
            if said["kind"] != "halt" or ended or not about:
                raise Odd(f"its fact `halt` is of {said['scope']}, which is not about it")
            raise Stopped(HALTED)

    def _note(self, fact: str, topic: Topic, partition: int, observed_at: int) -> None:
        self._out.known.add(fact)
        self._out.observed[fact] = observed_at
        self._out.heard[fact] = self._heard.get((topic, partition), 0)

    def _who(self, role: str, fact: str, name: str) -> Plain:
        """Return a principal as its sources have it together: the gravest status, the rest from the newest."""
        rows = [row for row in self._facts.get(role, ()) if row.said["id"] == name]
        if role != "delegator" and len(rows) != len(self._facts.get(role, ())):
            raise Odd(f"a fact `{role}` is not about `{name}`")
        if not rows:
            raise Stopped(UNKNOWN_AUDIENCE if fact in ("audience", "executor") else UNKNOWN_WHO, ("principal", name))
        newest = max(rows, key=lambda row: (row.said["observed_at"], row.said["source"]))
        status = max((row.said["status"] for row in rows), key=STATUSES.index)
        if status != "active":
            raise Stopped(INACTIVE)
        self._note(fact, Topic.PRINCIPALS, newest.partition, newest.said["observed_at"])
        kept = ("id", "kind", "owner", "groups", "attributes", "capabilities")
        return {**{name: newest.said[name] for name in kept}, "status": status}

    def _delegation(self) -> None:
        """Follow the chain from the mandate named to its root, link by link."""
        intent, out = self._intent, self._out
        if not intent["mandate"]:
            if intent["actor"] != intent["authority"]:
                raise Stopped(BROKEN)
            out.chain = (intent["actor"],)
            return
        held = {row.said["id"]: row for row in self._facts.get("mandate", ())}
        links: list[Fact] = []
        holder, name = intent["actor"], intent["mandate"]
        while name:
            link = held.get(name)
            if link is None:
                raise Stopped(BROKEN, ("mandate", name))
            if len(links) >= LINKS_MAX:
                raise Stopped(BROKEN)
            links.append(link)
            ends = link.said["expires_at"]
            ended = link.said["status"] != "active" or (ends and ends <= self._instant)
            if link.said["delegate"] != holder or ended:
                raise Stopped(BROKEN)
            holder, name = link.said["delegator"], link.said["parent"]
        if holder != intent["authority"]:
            raise Stopped(BROKEN)
        for link in links[:-1]:
            self._who("delegator", "delegator", link.said["delegator"])
        for link in links:
            said = link.said
            if not covers(said["actions"], intent["action"]) or not covers(said["resources"], intent["resource"]):
                raise Stopped(OUTSIDE)
        out.limits = [(link.said["id"], link.said["limits"]) for link in links]
        own = links[0]
        fields = {name: own.said[name] for name in ("id", "delegator", "delegate", "task", "actions", "resources")}
        out.roots["mandate"] = {**fields, "depth": len(links)}
        out.mandate_ends = min((link.said["expires_at"] for link in links if link.said["expires_at"]), default=0)
        out.chain = (intent["authority"], *(link.said["delegate"] for link in reversed(links)))
        self._note("mandate", Topic.MANDATES, own.partition, own.said["observed_at"])

    def _resource(self) -> None:
        rows = self._facts.get("resource", ())
        if not rows:
            return
        if any(row.said["resource"] != self._intent["resource"] for row in rows):
            raise Odd(f"a fact `resource` is not about `{self._intent['resource']}`")
        newest = max(rows, key=lambda row: (row.said["observed_at"], row.said["source"]))
        rank = max(LABELS.index(row.said["label"]) for row in rows)
        fields = {name: newest.said[name] for name in ("owner", "origin", "categories")}
        self._out.roots["resource"] = {
            "id": newest.said["resource"],
            "sensitivity": LABELS[rank],
            "rank": rank,
            **fields,
        }
        self._note("resource", Topic.SENSITIVITY, newest.partition, newest.said["observed_at"])

    def _voters(self) -> None:
        rows = self._facts.get("voter", ())
        for name in {row.said["id"] for row in rows}:
            said = [row.said for row in rows if row.said["id"] == name]
            newest = max(said, key=lambda one: (one["observed_at"], one["source"]))
            status = max((one["status"] for one in said), key=STATUSES.index)
            self._out.voters[name] = {"groups": newest["groups"], "status": status, "owner": newest["owner"]}
        for row in self._facts.get("voter_key", ()):
            if row.said["tenant"] not in ("", self._intent["tenant"]) or not row.said["compromised_at"]:
                raise Odd("its fact `voter_key` is no word that a key of its tenant is compromised")
            self._out.fallen.add(row.said["kid"])

    def _risks(self) -> None:
        intent, out = self._intent, self._out
        subjects = {
            "actor": intent["actor"],
            "authority": intent["authority"],
            "session": f"session:{intent['session']}",
        }
        for root, subject in subjects.items():
            rows = self._facts.get(f"{root}.risk", ())
            if not rows:
                continue
            if any(row.said["subject"] != subject for row in rows):
                raise Odd(f"a fact `{root}.risk` is not about `{subject}`")
            scores = [faded(r.said["score"], r.said["event_at"], r.said["half_life_s"], self._instant) for r in rows]
            score = max(0, *scores)
            level = "high" if score >= HIGH else "medium" if score >= MEDIUM else "low"
            out.roots[root]["risk"] = {"score": score, "level": level}
            self._note(f"{root}.risk", Topic.RISK, rows[-1].partition, max(row.said["event_at"] for row in rows))

    def _calendar(self) -> None:
        days: dict[str, str] = {}
        for role, rows in self._facts.items():
            if role.startswith("calendar."):
                row = rows[-1]
                name = role.removeprefix("calendar.")
                if row.said["scope"] != name or (row.said["expires_at"] and row.said["expires_at"] <= self._instant):
                    raise Odd(f"its fact `{role}` is of `{row.said['scope']}`, or past its end")
                days[name] = row.said["value"]
                self._note(role, Topic.CONTROLS, row.partition, row.said["observed_at"])
        self._out.roots["calendar"] = days


def covers(patterns: list[str], name: str) -> bool:
    """Whether a pattern is `name`, or ends in `*` and `name` begins with the rest."""
    return any(name == one or (one.endswith("*") and name.startswith(one[:-1])) for one in patterns)
