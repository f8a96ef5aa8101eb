/**
 * Which stacks stand on the map at a zoom. Sensors whose stacks would overlap stand as one block, drawn level on the
 * mean of their places; a sensor alone stands square to its street. Levels of half a zoom step are worked out once and
 * kept until who is shown changes.
 */
import { merge, type Group } from '../city/merge.ts';
import type { Sensor } from '../city/sensor.ts';
import { STACK_HEIGHT_PX, STACK_WIDTH_PX } from '../city/stack.ts';
import type { SensorState } from '../server/answers.ts';
import { mercatorX, mercatorY, worldSize } from './mercator.ts';

/** The most sensors the map draws; the table has the rest. */
export const MAX_SENSORS = 16_000;
/** Below this zoom a block is no stack any more but a tint. */
export const TINT_BELOW_ZOOM = 12.5;
/** From this zoom on nothing is merged: what still overlaps stands at one and the same place. */
const PARTED_FROM_ZOOM = 18.5;
/** How much of a stack's width two stacks must keep apart. */
const KEPT_APART = 0.95;

/** How far the stack's foot stands from the place it belongs to. */
export const FOOT_PX = 6;

export interface Block {
  x: number;
  y: number;
  /** Direction of the ground line on the screen, radians clockwise from east; never upside down. */
  angle: number;
  members: Sensor[];
}

/** How large a stack is drawn at a zoom, 1 being its full measure. */
export function stackScale(zoom: number): number {
  return Math.min(1, Math.max(0.6, 0.6 + (zoom - 13) * 0.12));
}

export function levelOfZoom(zoom: number): number {
  return Math.floor(zoom * 2) / 2;
}

/** A street's bearing as the direction of a line that reads from left to right. */
export function angleOf(bearing_deg: number | null): number {
  if (bearing_deg === null) return 0;
  const angle = ((bearing_deg - 90) * Math.PI) / 180;
  return Math.cos(angle) >= -1e-9 ? Math.atan2(Math.sin(angle), Math.cos(angle)) : Math.atan2(-Math.sin(angle), -Math.cos(angle));
}

/** How a block stands: as the best of its members that are meant to report; imported where none is. */
export function standingOf({ members }: Block): SensorState {
  const states = new Set(members.map(({ state }) => state));
  return (['live', 'silent', 'never'] as const).find((state) => states.has(state)) ?? 'imported';
}

export class Blocks {
  #sensors: Sensor[] = [];
  #xs = new Float64Array();
  #ys = new Float64Array();
  #levels = new Map<number, Block[]>();

  set(sensors: readonly Sensor[]): void {
    this.#sensors = sensors.slice(0, MAX_SENSORS);
    this.#xs = Float64Array.from(this.#sensors, ({ lon }) => mercatorX(lon));
    this.#ys = Float64Array.from(this.#sensors, ({ lat }) => mercatorY(lat));
    this.#levels.clear();
  }

  at(level: number): Block[] {
    let blocks = this.#levels.get(level);
    if (!blocks) {
      blocks = this.#build(level);
      this.#levels.set(level, blocks);
    }
    return blocks;
  }

  #build(level: number): Block[] {
    const world = worldSize(level);
    const reach_px = level >= PARTED_FROM_ZOOM ? 0 : STACK_WIDTH_PX * stackScale(level) * KEPT_APART;
    const points = this.#sensors.map((_, i) => ({ x: (this.#xs[i] ?? 0) * world, y: (this.#ys[i] ?? 0) * world }));
    return merge(points, reach_px)
      .map((group) => this.#block(group, world))
      .sort((a, b) => a.y - b.y);
  }

  #block({ x, y, members }: Group, world: number): Block {
    const sensors = members.flatMap((index) => this.#sensors[index] ?? []);
    const alone = sensors.length === 1 ? sensors[0] : undefined;
    return { x: x / world, y: y / world, angle: alone ? angleOf(alone.bearing_deg) : 0, members: sensors };
  }
}

/** Whether a point, in pixels from a block's place, falls on its stack or its foot. */
export function covers(block: Block, dx: number, dy: number, scale: number): boolean {
  const slack_px = 4;
  const along = (dx * Math.cos(block.angle) + dy * Math.sin(block.angle)) / scale;
  const up = (dx * Math.sin(block.angle) - dy * Math.cos(block.angle)) / scale;
  return Math.abs(along) <= STACK_WIDTH_PX / 2 + slack_px && up >= -2 * slack_px && up <= FOOT_PX + STACK_HEIGHT_PX + slack_px;
}
