"""Change one thing in a case file's text, and leave every other character unchanged.

Comments, order, blank lines and layout are the author's. ruamel.yaml composes the text into nodes
with their marks and writes the new pieces; only the characters between those marks change. Each
result is read again and must hold exactly the data that the change asked for. Where a layout is too
unusual for that, the whole text goes through ruamel's round trip, which keeps comments but may move
line breaks.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.resolver import VersionedResolver

from foedus.case.problems import Path, dotted
from foedus.case.yamlfile import parse
from foedus.errors import InputError

Operation = Literal["set", "remove", "rename", "append"]

#: Longer texts are folded over several lines.
_FOLD = 88
_NO_LIMIT = 1_000_000


@dataclass(frozen=True)
class Edit:
    """One change.

    Attributes
    ----------
    op : {"set", "remove", "rename", "append"}
        Set a field (and create the mappings that contain it, if needed), remove a field or an item
        if it exists, rename a key, or append an item to a list.
    path : tuple of str and int
        Path of the field; for ``append`` of the list.
    value : object
        Plain data; for ``rename`` the new key.
    """

    op: Operation
    path: Path
    value: Any = None


class _Resolver(VersionedResolver):
    """YAML 1.2's resolver, except that a date stays text, as in :mod:`foedus.case.yamlfile`."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        tag = super().resolve(kind, value, implicit)
        if str(tag).endswith(":timestamp"):
            return super().resolve(kind, "text", implicit)
        return tag


def _yaml() -> YAML:
    yaml = YAML()
    yaml.Resolver = _Resolver
    yaml.preserve_quotes = True
    yaml.width = _NO_LIMIT
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def apply(text: str, edits: Sequence[Edit]) -> str:
    """Return the text after some changes, made in order.

    Parameters
    ----------
    text : str
        YAML whose syntax has no problem.
    edits : sequence of Edit

    Returns
    -------
    str

    Raises
    ------
    InputError
        If the text cannot be read, or a path leads nowhere.
    """
    for edit in edits:
        text = _applied(text, edit)
    return text


def _applied(text: str, edit: Edit) -> str:
    data, _, problems = parse(text, "text")
    if problems:
        raise InputError(problems)
    edit = _completed(data, edit)
    if edit.op == "remove" and not _there(data, edit.path):
        return text
    wanted = _changed(data, edit)
    for way in (_in_place, _round_trip):
        try:
            result = way(text, edit)
            found, _, problems = parse(result, "text")
        except (InputError, YAMLError, _Unusual):
            continue
        # Compared as text, because true is not 1 and the order of the keys is part of the change.
        if not problems and repr(_sorted(found)) == repr(_sorted(wanted)):
            return result
    raise InputError(
        f"this change cannot be made in the form; make it in the text: {edit.op} "
        f"{dotted(edit.path) or 'the whole case'}"
    )


def _sorted(data: Any) -> Any:
    """Return data with sorted keys, because the place of a new field is a matter of layout."""
    if isinstance(data, dict):
        return {key: _sorted(data[key]) for key in sorted(data)}
    return [_sorted(item) for item in data] if isinstance(data, list) else data


def _changed(data: Any, edit: Edit) -> Any:
    """Return plain data after a change."""
    data = copy.deepcopy(data)
    try:
        if edit.op == "append":
            _step_to(data, edit.path).append(edit.value)
            return data
        parent: Any = _step_to(data, edit.path[:-1])
        last: Any = edit.path[-1]
        if not isinstance(parent, dict if isinstance(last, str) else list):
            raise TypeError
        if edit.op == "set":
            parent[last] = edit.value
        elif edit.op == "remove":
            del parent[last]
        elif not isinstance(parent, dict) or edit.value in parent:
            raise InputError(f"a key that does not exist yet (found {edit.value!r})")
        else:
            parent[str(edit.value)] = parent.pop(last)
    except (KeyError, IndexError, TypeError, AttributeError):
        raise InputError(f"no such place in the text: {dotted(edit.path)!r}") from None
    return data


def _completed(data: Any, edit: Edit) -> Edit:
    """Return a change that also creates the missing mappings, or the missing list."""
    if edit.op not in ("set", "append"):
        return edit
    path, value = edit.path, edit.value
    if edit.op == "append" and not _there(data, path):
        value = [value]
    elif edit.op == "append":
        return edit
    while len(path) > 1 and isinstance(path[-1], str) and not _there(data, path[:-1]):
        path, value = path[:-1], {path[-1]: value}
    return Edit("set", path, value)


def _there(data: Any, path: Path) -> bool:
    """Return whether a path has a value; a key without one does not count."""
    try:
        return _step_to(data, path) is not None or len(path) == 0
    except (KeyError, IndexError, TypeError):
        return False


def _step_to(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


class _Unusual(Exception):  # noqa: N818 - never reaches a user
    """A layout that cannot be edited in place."""


# --- in place -----------------------------------------------------------------------------------


def _in_place(text: str, edit: Edit) -> str:
    if text and not text.endswith("\n"):
        text += "\n"
    root = _yaml().compose(text)
    return _Place(text, root).edit(edit)


@dataclass
class _Place:
    text: str
    root: Node | None

    def edit(self, edit: Edit) -> str:
        """Return the text after a change."""
        if edit.op == "append":
            return self._append(edit.path, edit.value)
        parent = self._node(edit.path[:-1])
        last = edit.path[-1]
        if edit.op == "rename":
            key, _ = self._pair(parent, last)
            return self._replaced(_start(key), self._end(key), _inline(edit.value, flow=True))
        if edit.op == "remove":
            return self._remove(edit.path, parent, last)
        if isinstance(parent, MappingNode) and not any(k.value == last for k, _ in parent.value):
            return self._new_field(parent, str(last), edit.value)
        return self._set(self._child(parent, last), parent, edit.value)

    def _node(self, path: Path) -> Node:
        node = self.root
        if node is None:
            raise _Unusual
        for part in path:
            node = self._child(node, part)
        return node

    def _pair(self, node: Node, key: str | int) -> tuple[Node, Node]:
        if isinstance(node, MappingNode):
            for k, value in node.value:
                if k.value == key:
                    return k, value
        raise _Unusual

    def _child(self, node: Node, part: str | int) -> Node:
        if isinstance(part, str):
            return self._pair(node, part)[1]
        if isinstance(node, SequenceNode) and part < len(node.value):
            child: Node = node.value[part]
            return child
        raise _Unusual

    def _replaced(self, start: int, end: int, new: str) -> str:
        return self.text[:start] + new + self.text[end:]

    def _end(self, node: Node) -> int:
        """Return the position after the last character of a node's content."""
        if isinstance(node, ScalarNode):
            if node.style in ("|", ">"):
                return self._block_scalar_end(node)
            return int(node.end_mark.index)
        if _flow(node) or not node.value:
            return int(node.end_mark.index)
        last = node.value[-1]
        return self._end(last[1] if isinstance(last, tuple) else last)

    def _block_scalar_end(self, node: ScalarNode) -> int:
        """Return the end of the last line of a block scalar: those indented like its first."""
        start = self.text.index("\n", _start(node)) + 1
        end, least = start - 1, None
        for line in self.text[start:].splitlines(keepends=True):
            depth = len(line) - len(line.lstrip(" "))
            if line.strip():
                least = depth if least is None else least
                if depth < least or depth == 0:
                    break
                end = start + len(line.rstrip("\n"))
            start += len(line)
        return end

    def _column(self, index: int) -> int:
        return index - (self.text.rfind("\n", 0, index) + 1)

    def _line_start(self, index: int) -> int:
        return self.text.rfind("\n", 0, index) + 1

    def _line_end(self, index: int) -> int:
        end = self.text.find("\n", index)
        return len(self.text) if end < 0 else end + 1

    def _set(self, node: Node, parent: Node, value: Any) -> str:
        flow = _flow(parent)
        start, end = _start(node), self._end(node)
        if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
            if flow or not isinstance(parent, MappingNode):
                raise _Unusual
            key = next(k for k, v in parent.value if v is node)
            start = self._end(key) + 1
            return self._replaced(start, end, self._after_colon(value, self._column(_start(key))))
        if flow or isinstance(parent, SequenceNode):
            new = _inline(value, flow=True)
            return self._replaced(start, end, new if start != end else f" {new}")
        key = next(k for k, v in parent.value if v is node)
        start = self.text.index(":", self._end(key)) + 1 if start == end else start
        if start == end or isinstance(value, dict | list) or _long(value):
            start = self.text.index(":", self._end(key)) + 1
            end = max(start, end)
            return self._replaced(start, end, self._after_colon(value, self._column(_start(key))))
        return self._replaced(start, end, _inline(value))

    def _after_colon(self, value: Any, indent: int) -> str:
        """Return the text of a value after ``key:`` in block style."""
        if isinstance(value, str) and _long(value):
            lines = textwrap.wrap(value, _FOLD - indent, break_long_words=False,
                                  break_on_hyphens=False)  # fmt: skip
            return " >-\n" + textwrap.indent("\n".join(lines), " " * (indent + 2))
        if isinstance(value, dict | list) and value and not _words(value):
            pad = " " * (indent + 2)
            return "\n" + textwrap.indent(_block(value), pad).rstrip("\n")
        return f" {_inline(value)}"

    def _new_field(self, parent: MappingNode, name: str, value: Any) -> str:
        key = _inline(name, flow=True)
        if parent.flow_style or not parent.value:
            new = f"{key}: {_inline(value, flow=True)}"
            if not parent.value:
                if not parent.flow_style:
                    raise _Unusual
                return self._replaced(_start(parent), self._end(parent), "{" + new + "}")
            at = self._end(parent.value[-1][1])
            return self._replaced(at, at, f", {new}")
        indent = self._column(_start(parent.value[0][0]))
        at = self._line_end(self._end(parent.value[-1][1]) - 1)
        line = " " * indent + key + ":" + self._after_colon(value, indent) + "\n"
        return self._replaced(at, at, line)

    def _append(self, path: Path, value: Any) -> str:
        node = self._node(path)
        if not isinstance(node, SequenceNode):
            raise _Unusual
        if not node.value:
            parent = self._node(path[:-1])
            return self._set(node, parent, [value])
        if node.flow_style:
            at = self._end(node.value[-1])
            return self._replaced(at, at, f", {_inline(value, flow=True)}")
        indent = self._column(_dash(self.text, node.value[0]))
        at = self._line_end(self._end(node.value[-1]) - 1)
        inner = textwrap.indent(_block(value), " " * (indent + 2))
        line = " " * indent + "- " + inner.lstrip(" ").rstrip("\n") + "\n"
        return self._replaced(at, at, line)

    def _remove(self, path: Path, parent: Node, last: str | int) -> str:
        node = self._child(parent, last)
        if len(parent.value) == 1:
            if len(path) == 1:
                raise _Unusual
            empty: Any = {} if isinstance(parent, MappingNode) else []
            return self._set(parent, self._node(path[:-2]), empty)
        if isinstance(last, str):
            starts = [_start(k) for k, _ in parent.value]
            ends = [self._end(v) for _, v in parent.value]
            number = next(i for i, (k, _) in enumerate(parent.value) if k.value == last)
        else:
            starts = [_start(v) for v in parent.value]
            ends = [self._end(v) for v in parent.value]
            number = last
        if _flow(parent):
            if number:
                return self._replaced(ends[number - 1], ends[number], "")
            return self._replaced(starts[0], starts[1], "")
        if isinstance(parent, SequenceNode):
            start = _dash(self.text, node)
        else:
            start = starts[number]
        line = self._line_start(start)
        if self.text[line:start].strip():  # after a dash: the next key takes its place
            if number or isinstance(parent, SequenceNode):
                raise _Unusual
            return self._replaced(start, starts[1], "")
        return self._replaced(line, self._line_end(max(ends[number] - 1, start)), "")


def _flow(node: Node) -> bool:
    """Return whether a mapping or list is written in braces or brackets."""
    return bool(getattr(node, "flow_style", False))


def _start(node: Node) -> int:
    return int(node.start_mark.index)


def _dash(text: str, item: Node) -> int:
    """Return the position of the dash of a block item."""
    dash = text.rindex("-", 0, max(_start(item), 1))
    if text[dash + 1 : _start(item)].strip():  # a comment in between, whose dash is not meant
        raise _Unusual
    return dash


def _long(value: Any) -> bool:
    """Return whether a text is long enough to fold and has only single spaces between words."""
    return isinstance(value, str) and len(value) > _FOLD and value == " ".join(value.split())


def _words(value: Any) -> bool:
    """Return whether a value is a list of plain words or numbers, which is written on one line."""
    return isinstance(value, list) and not any(isinstance(v, dict | list) for v in value)


def _inline(value: Any, *, flow: bool = False) -> str:
    """Return a value on one line; text that would read as something else goes in double quotes."""
    text = _dumped(value, flow)
    if isinstance(value, str):
        with contextlib.suppress(InputError):
            if parse(f"[{text}]\n" if flow else f"k: {text}\n", "")[0] in ([value], {"k": value}):
                return text
        return json.dumps(value, ensure_ascii=False)
    return text


def _dumped(value: Any, flow: bool) -> str:
    out = io.StringIO()
    yaml = _yaml()
    if flow or isinstance(value, dict | list):
        yaml.default_flow_style = True
        yaml.dump([value], out)
        return out.getvalue().strip().removeprefix("[").removesuffix("]")
    yaml.dump({"k": value}, out)
    text = out.getvalue().removeprefix("k:").strip()
    if "\n" in text:
        raise _Unusual
    return text or "null"


def _block(value: Any) -> str:
    """Return a mapping or list in block style, with lists of words on one line."""
    if not isinstance(value, dict | list) or not value:
        return _inline(value)
    lines = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        head = f"{_inline(key, flow=True)}:" if isinstance(value, dict) else "-"
        if isinstance(item, dict | list) and item and not _words(item):
            inner = textwrap.indent(_block(item), "  ")
            lines.append(f"{head}\n{inner}" if head != "-" else f"- {inner.lstrip(' ')}")
        else:
            lines.append(f"{head} {_inline(item, flow=isinstance(item, list))}")
    return "\n".join(lines)


# --- by a round trip ----------------------------------------------------------------------------


def _round_trip(text: str, edit: Edit) -> str:
    yaml = _yaml()
    data = yaml.load(text)
    try:
        if edit.op == "append":
            _step_to(data, edit.path).append(edit.value)
        else:
            parent, last = _step_to(data, edit.path[:-1]), edit.path[-1]
            if edit.op == "set":
                parent[last] = edit.value
            elif edit.op == "remove":
                del parent[last]
            else:
                position = list(parent).index(last)
                parent.insert(position, edit.value, parent.pop(last))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        raise _Unusual from None
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()
