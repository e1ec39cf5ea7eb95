"""Rooms import inward only, and the pure ones touch nothing; the checkers themselves find what is planted."""

import pytest

from tests.architecture.house import (
    ARROWS,
    PURE,
    SOURCE,
    imports_of,
    impurities,
    modules,
    room_of,
    strangers,
    wrong_arrows,
)


def test_no_module_imports_against_the_arrows() -> None:
    assert [wrong for name, path in modules() for wrong in wrong_arrows(name, path.read_text())] == []


def test_no_pure_room_reaches_the_world() -> None:
    assert [wrong for name, path in modules() for wrong in impurities(name, path.read_text())] == []


def test_every_module_is_in_a_room_of_the_table() -> None:
    assert {room_of(name) for name, _ in modules()} <= ARROWS.keys()


def test_the_pure_rooms_are_there_to_be_checked() -> None:
    seen = {room_of(name) for name, _ in modules()}
    assert seen >= PURE | {"errors", "ports", "drivers", "faces"}
    assert (SOURCE / "placet" / "errors.py").exists()


def test_the_arrows_have_no_circle() -> None:
    done: set[str] = set()
    while len(done) < len(ARROWS):
        ready = {room for room, to in ARROWS.items() if room not in done and to <= done}
        assert ready, f"a circle among {sorted(ARROWS.keys() - done)}"
        done |= ready


def test_policy_and_context_never_see_each_other() -> None:
    assert "context" not in ARROWS["policy"]
    assert "policy" not in ARROWS["context"]


@pytest.mark.parametrize(
    ("module", "planted"),
    [
        ("placet.model.records", "from placet.context import tables"),
        ("placet.model.records", "from placet import ports"),
        ("placet.policy.evaluate", "import placet.context.join"),
        ("placet.context.join", "from placet.policy.pack import Pack"),
        ("placet.decision.desk", "from placet.drivers import settings"),
        ("placet.decision.desk", "def late():\n    from placet.wiring import embedded"),
        ("placet.provenance.seal", "from placet.decision.life import LIFE"),
        ("placet.drivers.loop", "from placet.faces.sdk import Agent"),
        ("placet.drivers.loop", "import placet.wiring"),
        ("placet.errors", "from placet.model.reasons import Reason"),
        ("placet.decision.desk", "from ..drivers import settings"),
        ("placet.faces.auditor.lives", "from placet.model.codec.verdict import decode"),
        ("placet.faces.auditor.lives", "from placet.decision.desk import Desk"),
    ],
)
def test_a_planted_import_is_found(module: str, planted: str) -> None:
    assert len(wrong_arrows(module, f'"""A module."""\n\n{planted}\n')) >= 1


@pytest.mark.parametrize(
    "planted",
    [
        "import time",
        "from time import monotonic",
        "import random",
        "import secrets",
        "import uuid",
        "import os",
        "from pathlib import Path",
        "import io",
        "import socket",
        "import threading",
        "import asyncio",
        "import logging",
        "import datetime",
        "import importlib",
        "import urllib.request",
        "text = open('x').read()",
        "clock = __import__('time')",
        "def at(clock):\n    return clock.now()",
        "import sys\nhome = sys.stdin",
    ],
)
@pytest.mark.parametrize("room", sorted(PURE))
def test_a_planted_touch_of_the_world_is_found(room: str, planted: str) -> None:
    assert len(impurities(f"placet.{room}.planted", planted)) >= 1
    assert impurities("placet.drivers.planted", planted) == []


@pytest.mark.parametrize("planted", ["import confluent_kafka", "import faust", "from rocksdict import Rdict"])
@pytest.mark.parametrize("room", sorted(PURE))
def test_a_planted_library_is_found(room: str, planted: str) -> None:
    assert len(strangers(f"placet.{room}.planted", planted)) == 1


def test_what_may_be_imported_is_not_reported() -> None:
    source = "import hashlib\nfrom placet.errors import PoisonRecord\nfrom placet.model.keys import key_of\n"
    for check in (wrong_arrows, impurities, strangers):
        assert check("placet.decision.desk", source) == []


def test_imports_are_found_wherever_they_stand() -> None:
    source = "import a.b\nif 1:\n    from c import d\ndef f():\n    from placet import wiring, __version__\n"
    assert [tuple(i) for i in imports_of(source)] == [(1, "a.b"), (3, "c"), (5, "placet.wiring"), (5, "placet")]
