/** Layers: all of them, one, and a new one. Loaded when one of these is shown first. */

import type { LayersPlace } from "../../app/places";
import { CreateLayer } from "./CreateLayer";
import { LayerList } from "./LayerList";
import { LayerPage } from "./LayerPage";

export default function LayersPages({ at }: { at: LayersPlace }) {
  switch (at.page) {
    case "layers":
      return <LayerList />;
    case "create-layer":
      return <CreateLayer key={at.name} name={at.name} />;
    case "layer":
      return <LayerPage key={at.name} name={at.name} version={at.version} />;
  }
}
