"""The text of a condition taken apart at its `&&`, `||` and `!`, so that each clause can be shown with its value."""

from collections.abc import Iterator


def clauses(text: str, depth: int = 0) -> Iterator[tuple[int, str]]:
    """Yield (depth, text) of the condition and of every clause in it, outermost first."""
    text = _bare(text.strip())
    yield depth, " ".join(text.split())
    for sign in ("||", "&&"):
        pieces = _split(text, sign)
        if len(pieces) > 1:
            for piece in pieces:
                yield from clauses(piece, depth + 1)
            return
    if text.startswith("!"):
        yield from clauses(text[1:], depth + 1)


def _open_at(text: str) -> list[int | None]:
    """Return for each character how many brackets are open before it, or None inside a string."""
    levels: list[int | None] = []
    open_, quote, at = 0, "", 0
    while at < len(text):
        if quote:
            if text[at] == "\\" and len(quote) == 1:
                levels.append(None)
                at += 1
            elif text.startswith(quote, at):
                levels += [None] * (len(quote) - 1)
                at += len(quote) - 1
                quote = ""
            levels.append(None)
        elif text[at] in "'\"":
            quote = text[at] * 3 if text.startswith(text[at] * 3, at) else text[at]
            levels += [None] * len(quote)
            at += len(quote) - 1
        else:
            open_ -= text[at] in ")]}"
            levels.append(open_)
            open_ += text[at] in "([{"
        at += 1
    return levels[: len(text)]


def _split(text: str, sign: str) -> list[str]:
    levels, pieces, start = _open_at(text), [], 0
    if any(level == 0 and character == "?" for level, character in zip(levels, text, strict=True)):
        return [text]
    for at in range(len(text) - 1):
        if levels[at] == 0 and text.startswith(sign, at):
            pieces.append(text[start:at])
            start = at + len(sign)
    return [*pieces, text[start:]]


def _bare(text: str) -> str:
    """Return `text` without brackets that stand around all of it."""
    while text.startswith("(") and text.endswith(")"):
        levels = _open_at(text)
        if any(level == 0 for level in levels[1:-1]):
            return text
        text = text[1:-1].strip()
    return text
