"""The glossary has the words that are in use, and no name in the code is one that it replaced."""

import ast
import re
from pathlib import Path
from typing import TypeGuard

from tests.docs.pages import GUIDES, ROOT, name

GLOSSARY = ROOT / "docs" / "glossary.md"
WORDS = re.findall(r"^\| ([\w -]+) \| (?!means)", GLOSSARY.read_text(), flags=re.MULTILINE)
REPLACED = re.compile(
    r"\b(answerer|arrival|asked|astray|buried|bury|course|desk|examine|gate|histories|keeper|lesson|lookback|lookout|"
    r"oracle|outlook|packer|pupil|recipe|spelled|spelling|stray|tape|teach|told|unseen)s?\b"
)
CODE = [file for package in ("app", "models") for file in sorted((ROOT / package).rglob("*.py"))]
TESTS = [file for package in ("tests", "benchmarks") for file in sorted((ROOT / package).rglob("*.py"))]


def test_each_word_has_one_line() -> None:
    assert len(set(WORDS)) == len(WORDS) > 50


def test_each_word_is_in_use() -> None:
    text = " ".join(
        _words(f"{name(page)} {page.read_text()}") for page in [*CODE, *GUIDES] if page != GLOSSARY
    )
    assert [word for word in WORDS if _words(word) not in text] == []


def test_no_name_is_one_that_was_replaced() -> None:
    names = {
        f"{name(file)}: {given}"
        for file in [*CODE, *TESTS]
        for given in _names(file)
        if REPLACED.search(_words(given))
    }
    assert names == set()


def _words(text: str) -> str:
    """Return a text in lower case, with the parts of its names apart."""
    return re.sub(r"[\s_-]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)).lower()


def _names(file: Path) -> set[str]:
    """Return the names that a module gives, to itself and to classes, functions, arguments and variables."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    defined = {
        node.name for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }
    arguments = {node.arg for node in nodes if isinstance(node, ast.arg)}
    return {file.stem} | defined | arguments | {node.id for node in nodes if _is_set(node)}


def _is_set(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
