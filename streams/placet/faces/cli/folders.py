"""Policy packs as files: read from folders a person names, or from those that come with placet."""

from collections.abc import Sequence
from pathlib import Path

import placet
from placet.faces.cli.verb import Exit, Failure, usage

FILES = ("pack.yaml", "rules.yaml", "tests.yaml")
SHIPPED = ("payments", "data_access", "operations")
"""The packs that come with placet."""


def read_pack(folder: Path) -> dict[str, str]:
    """Return the files of the pack in `folder`, name to text."""
    if not folder.is_dir():
        raise usage(
            f"{folder}: no such folder: expected a pack with {FILES[0]} and {FILES[1]}", "placet policy check DIR"
        )
    files = {}
    for name in FILES:
        path = folder / name
        try:
            files[name] = path.read_text("utf-8")
        except FileNotFoundError:
            continue
        except UnicodeDecodeError as error:
            raise Failure(Exit.FAULTY, f"{path}:1:1: byte {error.start} is not UTF-8") from None
        except OSError as error:
            raise Failure(Exit.NOT_RUN, f"{path}: {error.strerror}") from error
    return files


def pack_folders(folders: Sequence[Path]) -> list[Path]:
    """Return the folders that hold packs: each one given, or those in it where it holds none itself."""
    found: list[Path] = []
    for folder in folders:
        inner = sorted(path.parent for path in folder.glob(f"*/{FILES[0]}")) if folder.is_dir() else []
        found += inner if inner and not (folder / FILES[0]).exists() else [folder]
    return found


def shipped(name: str) -> Path:
    """Return the folder of a pack that comes with placet: beside the code in a wheel, at the top of a checkout."""
    inside = Path(placet.__file__).parent
    for folder in (inside / "_policies" / name, inside.parent.parent / "policies" / name):
        if (folder / FILES[0]).exists():
            return folder
    raise Failure(Exit.NOT_RUN, f"the pack `{name}` did not come with this installation of placet", "name its folder")
