"""The in-memory view of layers, which the control plane reads; running functions never needs it.

`control.layer_records` writes it in the step that commits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from ingle.catalog.names import SortedNames
from ingle.domain.layer import Layer, LayerKey

Listener = Callable[[Layer], None]


class LayerCatalog:
    """Current layers by key. One that has lost all its versions stays: it keeps their numbers from coming back."""

    def __init__(self) -> None:
        self._layers: dict[LayerKey, Layer] = {}
        self._names: defaultdict[tuple[str, str], SortedNames] = defaultdict(SortedNames)
        self._listeners: list[Listener] = []

    def get(self, key: LayerKey) -> Layer | None:
        return self._layers.get(key)

    def layers(self, account: str, region: str, *, after: str | None = None) -> Iterator[Layer]:
        """The layers of one account and region by name, those behind `after` only. Not while layers change."""
        names = self._names.get((account, region), SortedNames())
        return (self._layers[LayerKey(account=account, region=region, name=name)] for name in names.after(after))

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._layers.values())

    def put(self, layer: Layer) -> None:
        key = layer.key
        self._layers[key] = layer
        self._names[key.account, key.region].add(key.name)
        for listener in self._listeners:
            listener(layer)

    def subscribe(self, listener: Listener) -> None:
        """`listener(layer)` is called after every change, in order, and must not block."""
        self._listeners.append(listener)

    def follow(self, listener: Listener) -> None:
        """As `subscribe`, and call `listener` now for every layer there is."""
        for layer in self:
            listener(layer)
        self.subscribe(listener)
