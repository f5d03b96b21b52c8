"""Which operation a method and a raw path mean: a tree of path segments made from the model's request URIs.

Paths are routed as they came, before percent-decoding: an ARN in a label may hold an encoded slash. A trailing slash
makes no difference. Literal query parameters in a request URI (`?List=ALL`) tell operations of the same path apart.
Literal segments win over labels, labels over greedy labels. Called by `rest_json`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from ingle.wire.model import ServiceModel

Literals = frozenset[tuple[str, str]]


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    label: _Node | None = None
    greedy: _Node | None = None
    #: By method: operation names with the query parameters they demand, the most demanding first.
    leaves: dict[str, list[tuple[Literals, str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelSlot:
    """Where a label's text is: segment `index` counted from the front, up to `end` from the back if greedy."""

    name: str
    index: int
    end: int | None = None


def split_path(path: str) -> list[str]:
    """The segments of a raw path, without the slashes at its ends."""
    return path.strip("/").split("/")


def _template_segments(uri: str) -> tuple[list[str], Literals]:
    path, _, query = uri.partition("?")
    return split_path(path), frozenset(parse_qsl(query, keep_blank_values=True))


def label_slots(uri: str) -> list[LabelSlot]:
    segments, _ = _template_segments(uri)
    slots = []
    greedy_seen = False
    for index, segment in enumerate(segments):
        if not segment.startswith("{"):
            continue
        position = index - len(segments) if greedy_seen else index
        if segment.endswith("+}"):
            greedy_seen = True
            slots.append(LabelSlot(segment[1:-2], position, index + 1 - len(segments)))
        else:
            slots.append(LabelSlot(segment[1:-1], position))
    return slots


class Routes:
    """The route table of one service."""

    def __init__(self, model: ServiceModel) -> None:
        self._root = _Node()
        for name, operation in model.operations.items():
            self._add(name, operation["http"]["method"], operation["http"]["requestUri"])

    def _add(self, name: str, method: str, uri: str) -> None:
        segments, literals = _template_segments(uri)
        node = self._root
        for segment in segments:
            if not segment.startswith("{"):
                node = node.literals.setdefault(segment, _Node())
            elif segment.endswith("+}"):
                node.greedy = node = node.greedy or _Node()
            else:
                node.label = node = node.label or _Node()
        leaves = node.leaves.setdefault(method, [])
        leaves.append((literals, name))
        leaves.sort(key=lambda leaf: -len(leaf[0]))

    def find(self, method: str, path: str, query: str) -> str | None:
        """The operation's name; None when there is none."""
        leaves = self._leaves(self._root, split_path(path), 0, method)
        if leaves is None:
            return None
        if len(leaves) == 1 and not leaves[0][0]:
            return leaves[0][1]
        given = set(parse_qsl(query, keep_blank_values=True))
        return next((name for literals, name in leaves if literals <= given), None)

    def methods(self, path: str) -> list[str]:
        """The methods that some operation has for a path."""
        segments = split_path(path)
        known = ("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD")
        return [method for method in known if self._leaves(self._root, segments, 0, method) is not None]

    def _leaves(self, node: _Node, segments: list[str], at: int, method: str) -> list[tuple[Literals, str]] | None:
        if at == len(segments):
            return node.leaves.get(method)
        segment = segments[at]
        literal = node.literals.get(segment)
        found = None
        if literal is not None:
            found = self._leaves(literal, segments, at + 1, method)
        if found is None and node.label is not None and segment:
            found = self._leaves(node.label, segments, at + 1, method)
        if found is None and node.greedy is not None and segment:
            for end in range(at + 1, len(segments) + 1):
                found = self._leaves(node.greedy, segments, end, method)
                if found is not None:
                    break
        return found
