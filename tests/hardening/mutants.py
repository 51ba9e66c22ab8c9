"""Copies of modules with one guard taken out: the programs that the tests must not let pass."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from types import ModuleType


def source_of(name: str) -> str:
    return Path(str(importlib.import_module(name).__file__)).read_text()


@contextmanager
def built(name: str, text: str) -> Iterator[ModuleType]:
    """A module made of `text` instead of `name`'s source; nobody else sees it."""
    module = ModuleType(f"{name}_mutant")
    sys.modules[module.__name__] = module
    try:
        exec(compile(text, f"<{module.__name__}>", "exec"), module.__dict__)
        yield module
    finally:
        del sys.modules[module.__name__]


def without(name: str, guard: str, instead: str) -> str:
    """The source with one guard replaced; the guard must stand there once."""
    text = source_of(name)
    assert text.count(guard) == 1, f"{guard!r} stands {text.count(guard)} times in {name}"
    return text.replace(guard, instead)


def mutants(name: str, functions: set[str]) -> Iterator[tuple[str, str]]:
    """Every way to take one condition out of these functions: a label and the source."""
    tree = ast.parse(source_of(name))
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        if function.name not in functions:
            continue
        for number, node in enumerate(ast.walk(function)):
            for way, other in _ways(node):
                changed = deepcopy(tree)
                copy = next(
                    each
                    for each in ast.walk(changed)
                    if isinstance(each, ast.FunctionDef) and each.lineno == function.lineno
                )
                _Swap(list(ast.walk(copy))[number], other).visit(copy)
                label = f"{function.name}: {way} {ast.unparse(node)}".split("\n")[0]
                yield label, ast.unparse(ast.fix_missing_locations(changed))


def _ways(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.BoolOp):
        for index, operand in enumerate(node.values):
            rest = [value for place, value in enumerate(node.values) if place != index]
            left = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            yield f"without `{ast.unparse(operand)}` in", left
    elif isinstance(node, ast.If):
        yield "never", ast.If(ast.Constant(False), node.body, node.orelse)
    elif isinstance(node, ast.IfExp):
        yield "always else of", node.orelse
        yield "never else of", node.body
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "without not", node.operand
    elif isinstance(node, ast.Compare):
        yield "opposite of", ast.UnaryOp(ast.Not(), node)


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, deepcopy(new)

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)
