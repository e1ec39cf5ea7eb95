"""The jars a broker runs from: fetched once by Maven, compared with the digests checked in beside this file."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

NEEDED = {"java": "a Java runtime, 17 or newer", "mvn": "Apache Maven, 3.8 or newer", "ps": "the POSIX process list"}


class BrokerError(Exception):
    """The broker cannot run here. The message says what is missing or what it said before it died."""


def need(program: str) -> str:
    """Return the path of a program, or raise `BrokerError` with how to get it."""
    path = shutil.which(program)
    if path is None:
        wanted = NEEDED[program]
        message = f"`{program}` is not on the path; a broker needs {wanted}"
        raise BrokerError(message)
    return path


def missing(here: Path) -> str | None:
    """Return why no broker can run on this machine, or None. Maven is needed only until the jars are there."""
    try:
        need("java")
        if not _complete(_folder(here), here):
            need("mvn")
    except BrokerError as error:
        return str(error)
    return None


def jars(here: Path) -> Path:
    """Return the folder of the jars, fetched on first use; `here` holds `pom.xml` and `jars.sha256`.

    Raises `BrokerError` when Maven fails or a jar is not the one listed.
    """
    need("java")
    folder = _folder(here)
    if _complete(folder, here):
        return folder
    # Fetched beside and renamed at the end: a fetch that was cut off leaves no half folder under the final name.
    partial = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _fetch(here / "pom.xml", partial)
        _compare(partial, _listed(here))
        (partial / "complete").touch()
        if not _complete(folder, here):
            shutil.rmtree(folder, ignore_errors=True)
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def digests(folder: Path) -> dict[str, str]:
    """Return jar name → SHA-256 in hex of every jar in a folder."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.glob("*.jar"))}


def _folder(here: Path) -> Path:
    """Return where the jars lie; its name carries the list's own digest, so another list is another folder."""
    cache = Path(os.environ.get("PLACET_CACHE") or Path.home() / ".cache" / "placet")
    return cache / f"kafka-{hashlib.sha256((here / 'jars.sha256').read_bytes()).hexdigest()[:12]}"


def _complete(folder: Path, here: Path) -> bool:
    return (folder / "complete").exists() and all((folder / name).exists() for name in _listed(here))


def _listed(here: Path) -> dict[str, str]:
    rows = (line.split() for line in (here / "jars.sha256").read_text().splitlines())
    return {name: digest for digest, name in rows}


def _fetch(pom: Path, folder: Path) -> None:
    # A copy of the pom: Maven may leave files beside the one it reads.
    shutil.copy(pom, folder / "pom.xml")
    command = [need("mvn"), "--batch-mode", "--quiet", "--strict-checksums", "--file", str(folder / "pom.xml")]
    command += ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        message = f"maven could not fetch the jars of {pom}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        raise BrokerError(message)


def _compare(folder: Path, listed: dict[str, str]) -> None:
    found = digests(folder)
    wrong = sorted(name for name in found.keys() | listed.keys() if found.get(name) != listed.get(name))
    if wrong:
        message = f"not the jars of jars.sha256: {', '.join(wrong)}"
        raise BrokerError(message)
