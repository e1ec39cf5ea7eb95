"""Memory given back: by default the C library keeps what a restore needed for a moment, and a heap for each thread."""

import ctypes

_ARENA_MAX = -8
"""`M_ARENA_MAX` of glibc's mallopt(3)."""
ARENAS = 2
"""The threads of the clients hardly allocate, and do not wait for each other's heap."""


def few_heaps() -> bool:
    """Let the threads of this process share a few heaps; return whether the C library can (glibc)."""
    return _call("mallopt", _ARENA_MAX, ARENAS)


def give_back() -> bool:
    """Give free memory back to the system; return whether there was any, and the C library can (glibc)."""
    return _call("malloc_trim", 0)


def _call(name: str, *numbers: int) -> bool:
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError, TypeError):
        return False
    return bool(function(*numbers))
