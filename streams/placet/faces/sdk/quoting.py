"""Text of others made harmless: on one line, short, and in marks it cannot leave."""

import unicodedata

NAME_MAX, TEXT_MAX = 80, 160
_MARKS = str.maketrans(
    {'"': "'", "`": "'", "“": "'", "”": "'", "„": "'", "«": "'", "»": "'", "\\": "/"}
) | dict.fromkeys(map(ord, "＂‟″‶❝❞〝〞〟ʺ״"), "'")
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
"""Variation selectors: marks nobody sees, in which a text can hide another."""
_BLANKS = frozenset(map(chr, (0x034F, 0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0)))
"""Letters and marks that look like nothing."""


def quoted(text: str, most: int = TEXT_MAX) -> str:
    """Return `text` in double quotes: no control, format or unseen characters, no line breaks, no quotes of its own.

    At most `most` characters; what was cut ends in an ellipsis.
    """
    plain = "".join(_shown(one) for one in unicodedata.normalize("NFC", text[: 16 * most]))
    plain = " ".join(plain.translate(_MARKS).split())
    return f'"{plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"}"'


def _shown(one: str) -> str:
    """Return a character as it may be shown: a blank for what breaks lines, nothing for what nobody sees."""
    kind = unicodedata.category(one)
    if kind in ("Zl", "Zp") or one in "\t\n\v\f\r\x85":
        return " "
    unseen = kind[0] == "C" or one in _BLANKS or any(ord(one) in part for part in _SELECTORS)
    return "" if unseen else one
