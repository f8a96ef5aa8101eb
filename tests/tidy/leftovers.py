"""What was left lying about: unfinished places, modules nobody imports, queries nobody runs, faces that say nothing."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator

from tests.tidy.tree import SHIPPED, Fault, Rule, Tree, functions

MIN_FACE_WORDS = 40
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|NotImplemented" r"Error)\b")
NAMED_FOR_NOTHING = re.compile(r"(?:.*\.)?_?(?:ignore|discard|nothing)\w*")
CODE = (".py", ".sql", ".ts", ".svelte", ".css", ".toml", "Makefile", ".ci/run", ".html")


def unfinished(tree: Tree) -> Iterator[Fault]:
    for path, number, line in tree.lines(*CODE):
        if found := UNFINISHED.search(line):
            yield Fault(path, number, f"{found[0]} marks something unfinished: finish it, or write an issue")


def _is_abstract(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    marks = {ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list}
    return bool(marks & {"abstractmethod", "overload", "callback()"})


def _does_nothing(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a body is nothing but a docstring, `pass` or `...`."""
    said = [statement.value if isinstance(statement, ast.Expr) else statement for statement in node.body]
    return all(isinstance(part, ast.Pass | ast.Constant) for part in said)


def stubs(tree: Tree) -> Iterator[Fault]:
    """Functions of the shipped source that do nothing. Shapes may (protocols, abstract methods), and what says so."""
    for path, module in tree.modules(*SHIPPED):
        shapes = {
            f"{node.name}.{inner.name}"
            for node in ast.walk(module)
            if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)
            for inner in node.body
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        for name, node in functions(module):
            is_shape = _is_abstract(node) or ".".join(name.split(".")[-2:]) in shapes
            is_meant = NAMED_FOR_NOTHING.fullmatch(name) or "nothing" in (ast.get_docstring(node) or "")
            if _does_nothing(node) and not is_shape and not is_meant:
                yield Fault(path, node.lineno, f"{name} does nothing")


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _is_benchmark(path: str, module: ast.Module) -> bool:
    """Whether `make bench` runs it: every program of `benchmarks/`."""
    guards = (ast.unparse(node.test) for node in module.body if isinstance(node, ast.If))
    return path.startswith("benchmarks/") and "__name__ == '__main__'" in guards


def _imported(tree: Tree) -> set[str]:
    """Every module that the shipped source imports, or names in a string that starts it (`-m`, an entry point)."""
    names: set[str] = set()
    for path, module in tree.modules(*SHIPPED):
        package = _module_name(path) if path.endswith("__init__.py") else _module_name(path).rpartition(".")[0]
        for node in ast.walk(module):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                above = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
                source = f"{above}.{node.module or ''}".strip(".") if node.level else node.module or ""
                names |= {source, *(f"{source}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names |= {node.value, node.value.partition(":")[0]}
    return names


def _imported_by_pattern(tree: Tree) -> re.Pattern[str]:
    """What an f-string such as `f"broadstreet.app.{name}"` may import."""
    patterns = {r"(?!)"}
    for node in (node for _, module in tree.modules(*SHIPPED) for node in ast.walk(module)):
        if isinstance(node, ast.JoinedStr):
            parts = (re.escape(str(v.value)) if isinstance(v, ast.Constant) else r"\w+" for v in node.values)
            pattern = "".join(parts)
            patterns |= {pattern} if pattern.startswith(r"broadstreet\.") else set()
    return re.compile("|".join(patterns))


def _started(tree: Tree) -> set[str]:
    """Modules that something outside Python starts: scripts of pyproject.toml, the Makefile and CI."""
    project = tomllib.loads(tree.texts.get("pyproject.toml", "")).get("project", {})
    scripts = {target.partition(":")[0] for target in project.get("scripts", {}).values()}
    shell = "".join(text for _, text in tree.with_suffix("Makefile", ".ci/run", ".md"))
    hooks = re.findall(r"^path = \"(\S+)\.py\"", tree.texts.get("pyproject.toml", ""), re.MULTILINE)
    return scripts | set(re.findall(r"-m\s+([a-z_.]+)", shell)) | {hook.replace("/", ".") for hook in hooks}


def dead_modules(tree: Tree) -> Iterator[Fault]:
    """Modules of the shipped source that no other one imports and nothing starts; a test alone keeps none alive."""
    alive = _imported(tree) | _started(tree)
    packages = {name.rpartition(".")[0] for name in alive}
    by_pattern = _imported_by_pattern(tree)
    for path, module in tree.modules(*SHIPPED):
        name = _module_name(path)
        is_main = name.endswith(".__main__")
        is_named = name in alive or name in packages or path.rpartition("/")[2] in alive
        is_alive = is_named or by_pattern.fullmatch(name) or _is_benchmark(path, module)
        if not is_alive and not is_main and "." in name:
            yield Fault(path, 1, "nothing imports or starts this module: delete it, or use it")


def silent_faces(tree: Tree) -> Iterator[Fault]:
    """A package's `__init__` says in a few sentences what comes in, what goes out and what must always hold."""
    for path, module in tree.modules(*SHIPPED):
        if path.endswith("__init__.py"):
            words = len((ast.get_docstring(module) or "").split())
            if words < MIN_FACE_WORDS:
                yield Fault(path, 1, f"the room's face says {words} words, {MIN_FACE_WORDS} are the least")


def unopened(tree: Tree) -> Iterator[Fault]:
    """Shipped files that do not open with a line on how they work."""
    for path, module in tree.modules(*SHIPPED):
        if ast.get_docstring(module) is None:
            yield Fault(path, 1, "no line says what this file is for")


_FACE = '"""' + "word " * MIN_FACE_WORDS + '"""\n'
_FINE = '"""A file."""\n'

RULES = (
    Rule(
        "nothing is unfinished",
        unfinished,
        {
            "broadstreet/a.py": "x = 1  # TODO later\n",
            "webapp/src/a.ts": "// FIXME\n",
            "broadstreet/b.py": "todos = []\n",
        },
        frozenset({"broadstreet/a.py", "webapp/src/a.ts"}),
    ),
    Rule(
        "no function is a stub",
        stubs,
        {
            "broadstreet/a.py": 'class A:\n    def f(self) -> None:\n        """Does it."""\n',
            "broadstreet/b.py": "class A(Protocol):\n    def f(self) -> None: ...\n",
            "broadstreet/d.py": 'def _keep() -> None:\n    """What is done with it: nothing."""\n',
            "broadstreet/c.py": "class A(ABC):\n    @abstractmethod\n    def f(self) -> None: ...\n",
        },
        frozenset({"broadstreet/a.py"}),
    ),
    Rule(
        "no module is dead",
        dead_modules,
        {
            "broadstreet/__init__.py": "from broadstreet.used import f\n",
            "broadstreet/used.py": _FINE,
            "broadstreet/dead.py": _FINE,
            "broadstreet/role.py": _FINE,
            "broadstreet/start.py": 'ARGUMENTS = ["-m", "broadstreet.role"]\nFILE = HERE / "leash.py"\n',
            "broadstreet/leash.py": _FINE,
            "broadstreet/app/roles.py": 'import_module(f"broadstreet.app.{name}")\n',
            "broadstreet/app/gateway.py": _FINE,
            "broadstreet/start_roles.py": "import broadstreet.app.roles, broadstreet.start_roles\n",
            "tests/unit/test_dead.py": "import broadstreet.dead\n",
            "pyproject.toml": '[project.scripts]\nbroadstreet = "broadstreet.start:main"\n',
        },
        frozenset({"broadstreet/dead.py"}),
    ),
    Rule(
        "every face speaks",
        silent_faces,
        {"broadstreet/a/__init__.py": '"""A room."""\n', "broadstreet/b/__init__.py": _FACE},
        frozenset({"broadstreet/a/__init__.py"}),
    ),
    Rule(
        "every file says what it is for",
        unopened,
        {"broadstreet/a.py": "x = 1\n", "broadstreet/b.py": _FINE},
        frozenset({"broadstreet/a.py"}),
    ),
)
