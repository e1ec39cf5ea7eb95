"""Who is upgraded first: which records may change in one release.

Every reader reads all versions that were released before its own, and none
that came after. So whoever reads is upgraded before whoever writes:

- a release that changes what workers read (intents, votes, claims, outcomes,
  context): workers, auditors and the context app first; then executors and
  gateways, who read intents too; then agents and feeds, who write them;
- a release that changes what workers say (verdicts, repeats, refusals, halts,
  reviews, Seals): agents, executors, gateways and auditors first; then workers.

What a worker keeps for itself may change in either; a partition that a newer
worker has served is then not taken back by an older one.
"""

from collections.abc import Collection

ANSWERS = frozenset({"verdict", "repeat", "refusal", "halted", "review", "seal"})
"""What workers say."""
KEPT = frozenset({"case", "case_body", "desk_change", "quarantined"})
"""What workers keep for themselves and for those who look later. All other records are written to them."""


def mixed(changed: Collection[str]) -> str:
    """Return why these records cannot change in one release, or an empty text.

    Whoever asks also hears: were both changed, no order of upgrading would do.
    """
    said = sorted(ANSWERS & set(changed))
    asked = sorted(set(changed) - ANSWERS - KEPT)
    if not said or not asked:
        return ""
    return f"{', '.join(asked)} are written to workers, {', '.join(said)} are said by them: expected a release for each"
