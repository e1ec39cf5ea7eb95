"""Unpredictable bytes from the operating system."""

import secrets


class SystemEntropy:
    """`ports.Entropy` over the operating system's generator."""

    def draw(self, size: int) -> bytes:
        """Return `size` bytes nobody can foretell."""
        return secrets.token_bytes(size)
