"""A file has one subject and a function fits a screen; a module says its job, and its end is in sight."""

import ast

from tests.architecture.house import generated, modules

FILE_LINES_MOST = 300
FUNCTION_LINES_MOST = 60


def test_no_file_is_longer_than_its_subject() -> None:
    lengths = {name: path.read_text().count("\n") for name, path in modules() if not generated(path)}
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES_MOST} == {}


def test_every_function_fits_a_screen() -> None:
    long = []
    for name, path in modules():
        if generated(path):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                # The signature apart: the options of a verb are a table, one a line.
                lines = (node.end_lineno or node.lineno) - node.body[0].lineno + 1
                if lines > FUNCTION_LINES_MOST:
                    long.append(f"{name}:{node.lineno}: `{node.name}` has {lines} lines")
    assert long == []


def test_every_module_says_its_job() -> None:
    silent = [name for name, path in modules() if not ast.get_docstring(ast.parse(path.read_text() or "''"))]
    assert silent == []
