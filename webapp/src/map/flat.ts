/**
 * A map that lies flat, as a plan on a table: always north up, never tilted, moved by hand and wheel; its keys are its
 * page's own. Every map of ours begins here, and MapLibre with it.
 */
import './maplibre.css';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import { addProtocol, Map as MapLibreMap, setWorkerUrl, type MapOptions } from 'maplibre-gl';
import { Protocol } from 'pmtiles';

setWorkerUrl(new URL(workerUrl, location.href).href);
addProtocol('pmtiles', new Protocol().tile);

/** Throws where the browser has no WebGL 2. */
export function flatMap(options: MapOptions): MapLibreMap {
  const map = new MapLibreMap({
    ...options,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    keyboard: false,
    maxPitch: 0,
    fadeDuration: 0,
    canvasContextAttributes: { preserveDrawingBuffer: true }, // a map that is printed must still be there
  });
  map.touchZoomRotate.disableRotation();
  // What it shows stands in the table beside it: to whoever listens or tabs, the drawing is none of a page's parts.
  const canvas = map.getCanvas();
  canvas.removeAttribute('tabindex');
  canvas.removeAttribute('aria-label');
  canvas.setAttribute('role', 'presentation');
  return map;
}
