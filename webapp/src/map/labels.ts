/**
 * The few words on the map that are not street names: how many are merged and how many of them are silent, since when
 * one is, of which years what was imported tells, and which is one's own. On a canvas of their own.
 */
import type { Map as MapLibreMap } from 'maplibre-gl';
import { NEWEST } from '../city/sensor.ts';
import { STACK_HEIGHT_PX, STACK_WIDTH_PX } from '../city/stack.ts';
import { FOOT_PX, stackScale, standingOf, TINT_BELOW_ZOOM, type Block } from './blocks.ts';
import { mercatorX, mercatorY, worldSize } from './mercator.ts';

export interface LabelInks {
  ink: string;
  paper: string;
  muted: string;
  own: string;
}

const SIZE_PX = 13;
const HALO_PX = 3;
/** Below this zoom blocks stand too close for more than a number beside each. */
const LONG_FROM_ZOOM = 15.5;
/** So far outside the window a label may still reach in. */
const MARGIN_PX = 60;

export interface LabelWords {
  /** isLong: there is room for more than the number. */
  count: (block: Block, isLong: boolean) => string;
  silence: (block: Block) => string;
  own: (block: Block) => string;
}

export function drawLabels(canvas: HTMLCanvasElement, map: MapLibreMap, blocks: readonly Block[], inks: LabelInks, hour: number, words: LabelWords): void {
  const pen = canvas.getContext('2d');
  if (!pen) return;
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const zoom = map.getZoom();
  if (zoom < TINT_BELOW_ZOOM) return;
  const scale = stackScale(zoom);
  const world = worldSize(zoom);
  const center = map.getCenter();
  const left = mercatorX(center.lng) * world - width / 2;
  const top = mercatorY(center.lat) * world - height / 2;
  pen.font = `${SIZE_PX}px 'IBM Plex Mono', monospace`;
  pen.lineJoin = 'round';
  pen.lineWidth = HALO_PX;
  pen.strokeStyle = inks.paper;
  for (const block of blocks) {
    const x = block.x * world - left;
    const y = block.y * world - top;
    if (x < -MARGIN_PX || y < -MARGIN_PX || x > width + MARGIN_PX || y > height + MARGIN_PX) continue;
    if (block.members.length > 1) {
      pen.fillStyle = inks.ink;
      pen.textAlign = 'left';
      pen.textBaseline = 'alphabetic';
      write(pen, words.count(block, zoom >= LONG_FROM_ZOOM), x + (STACK_WIDTH_PX / 2) * scale + 3, y - FOOT_PX * scale + 2);
    }
    const own = words.own(block);
    if (own !== '') {
      pen.fillStyle = inks.own;
      pen.textAlign = 'center';
      pen.textBaseline = 'top';
      write(pen, own, x, y + 5);
    }
    const standing = standingOf(block);
    if (standing === 'imported' || (hour === NEWEST && standing !== 'live')) {
      pen.fillStyle = inks.muted;
      pen.textAlign = 'center';
      pen.textBaseline = 'middle';
      const middle = (FOOT_PX + (standing === 'imported' ? SIZE_PX / 2 + 1 : STACK_HEIGHT_PX / 2)) * scale;
      pen.save();
      pen.translate(x + Math.sin(block.angle) * middle, y - Math.cos(block.angle) * middle);
      pen.rotate(block.angle);
      write(pen, words.silence(block), 0, 0.5);
      pen.restore();
    }
  }
}

function write(pen: CanvasRenderingContext2D, text: string, x: number, y: number): void {
  pen.strokeText(text, x, y);
  pen.fillText(text, x, y);
}
