"""A process that witnesses a fixed story, to be killed: it prints each size it has cosigned, once it would answer so."""

import os
import sys
from pathlib import Path

from tests.drivers.witness.stand import call, witness_in

SIZES = (1, 7, 9, 12)


def story(folder: Path) -> None:
    witness = witness_in(folder)
    known = witness.latest("example.com/log")
    before = known.size if known else 0
    for size in SIZES:
        if size > before and witness.answer(call(before, size)).status == 200:
            os.write(1, b"%d\n" % size)
            before = size
            witness.answer(call(size, size, "fork"))


if __name__ == "__main__":
    story(Path(sys.argv[1]))
