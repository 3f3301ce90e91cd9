"""YAML text -> plain data, with the line of every key and item beside it.

Only plain YAML is taken: a tag that would build an object, a key given twice, a key that is not text and aliases
that blow up are problems, not surprises. Nothing in the text is ever run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from ..errors import InvalidFile, Problem

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MOST_NODES = 20_000  # what aliases may expand to: "billion laughs" stops here
DEEPEST = 60
MERGE = "tag:yaml.org,2002:merge"
PLAIN = ("str", "int", "float", "bool", "null", "timestamp", "seq", "map")
PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in PLAIN)


@dataclass(frozen=True)
class Mark:
    """Where one value stands. ``keys``: the line of each key; ``text``: a scalar as it was written."""

    line: int
    text: str = ""
    keys: Mapping[str, int] = field(default_factory=dict)
    children: Mapping[str | int, "Mark"] = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    """The data of one YAML file, and the tree of its lines."""

    file: str
    data: object
    mark: Mark


def parse(file: str, text: str) -> Document:
    """The one document in ``text``, a mapping. Raises InvalidFile with every problem found."""
    try:
        _refuse_depth(file, text)
        root = yaml.compose(text, Loader=LOADER)
    except yaml.YAMLError as error:
        raise InvalidFile((_syntax_problem(file, text, error),)) from error
    if root is None:
        raise InvalidFile((Problem(file, None, "the file is empty", "start with version: 1"),))
    tree = _Tree(file)
    data, mark = tree.grow(root, 0)
    if tree.problems:
        raise InvalidFile(tuple(tree.problems))
    if not isinstance(data, dict):
        raise InvalidFile((Problem(file, mark.line, "the file must be a mapping of keys", "start with version: 1"),))
    return Document(file, data, mark)


def _refuse_depth(file: str, text: str) -> None:
    """Composing recurses; so look at the flat events first."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark is not None else None
            raise InvalidFile((Problem(file, line, f"nested more than {DEEPEST} levels deep"),))


def _syntax_problem(file: str, text: str, error: yaml.YAMLError) -> Problem:
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem(file, None, f"not YAML text: {str(error).splitlines()[0]}")
    mark = error.problem_mark or error.context_mark
    message = " ".join(part for part in (error.context, error.problem) if part)
    hint = ""
    if "single document" in message:
        message, hint = "a second document starts here", "one file holds one document; remove the line ---"
    elif "undefined alias" in message:
        hint = "an alias *name needs its anchor &name earlier in the file"
    elif mark is not None and _is_at_tab(text, mark.line):
        hint = "YAML is indented with spaces, never tabs"
    return Problem(file, mark.line + 1 if mark is not None else None, f"not valid YAML: {message}", hint)


def _is_at_tab(text: str, line: int) -> bool:
    lines = text.split("\n")
    indent = lines[line][: len(lines[line]) - len(lines[line].lstrip())] if line < len(lines) else ""
    return "\t" in indent


class _Tree:
    """One walk over the nodes; problems are collected, so that they can be reported together."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._seen = 0
        self._scalars = yaml.SafeLoader("")

    def grow(self, node: yaml.Node, depth: int) -> tuple[object, Mark]:
        line = node.start_mark.line + 1
        self._seen += 1
        if self._seen > MOST_NODES or depth > DEEPEST:
            raise InvalidFile((Problem(self.file, line, "aliases expand to too much", "write the values out"),))
        if node.tag not in PLAIN_TAGS:
            self._say(line, f"the tag {_short(node.tag)} is not taken here", "write a plain value")
            return None, Mark(line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            grown = [self.grow(item, depth + 1) for item in node.value]
            return [data for data, _ in grown], Mark(line, children={i: mark for i, (_, mark) in enumerate(grown)})
        return self._scalar(node), Mark(line, text=node.value)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> tuple[object, Mark]:
        data: dict[str, object] = {}
        keys: dict[str, int] = {}
        children: dict[str | int, Mark] = {}
        for key_node, value_node in self._pairs(node, depth):
            line = key_node.start_mark.line + 1
            key = self._key(key_node, line)
            if key is None:
                continue
            if key in keys:
                self._say(line, f"the key {key} is given twice", f"first on line {keys[key]}; remove one of the two")
            value, mark = self.grow(value_node, depth + 1)
            data[key], keys[key], children[key] = value, line, mark
        return data, Mark(node.start_mark.line + 1, keys=keys, children=children)

    def _pairs(self, node: yaml.MappingNode, depth: int) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """The mapping's own pairs, and before them those of ``<<: *anchor`` that it does not set itself."""
        own = [(key, value) for key, value in node.value if key.tag != MERGE]
        set_here = {key.value for key, _ in own if isinstance(key, yaml.ScalarNode)}
        for key, value in node.value:
            if key.tag == MERGE:
                yield from self._merged_pairs(value, set_here, depth)
        yield from own

    def _merged_pairs(self, node: yaml.Node, taken: set[str], depth: int) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        taken = set(taken)
        for source in sources:
            if not isinstance(source, yaml.MappingNode) or depth > DEEPEST:
                self._say(node.start_mark.line + 1, "<<: takes an alias of a mapping", "<<: *name")
                return
            for key, value in self._pairs(source, depth + 1):
                if key.value not in taken:
                    taken.add(key.value)
                    yield key, value

    def _key(self, node: yaml.Node, line: int) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self._say(line, "a key must be text, not a list or a mapping")
            return None
        value = self._scalar(node)
        if isinstance(value, str):
            return value
        self._say(
            line, f"the key {node.value} is read by YAML as {_kind(value)}", f'write it in quotes: "{node.value}"'
        )
        return None

    def _scalar(self, node: yaml.Node) -> object:
        line = node.start_mark.line + 1
        try:
            value: object = self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            self._say(line, f"{node.value} cannot be read: {error}", f'write it in quotes: "{node.value}"')
            return node.value
        return value

    def _say(self, line: int, message: str, hint: str = "") -> None:
        self.problems.append(Problem(self.file, line, message, hint))


def _kind(value: object) -> str:
    if value is None:
        return "nothing (null)"
    return "yes or no (a boolean)" if isinstance(value, bool) else "a number or a date"


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")
