/**
 * The layer of stacks on the map: one draw call for all that stand at this zoom, another for those that fade away when
 * the zoom level changes. A changed bar settles in a fifth of a second, or at once where motion is reduced.
 */
import type { CustomLayerInterface, Map as MapLibreMap } from 'maplibre-gl';
import { meanBars } from '../city/merge.ts';
import { BARS, NEWEST } from '../city/sensor.ts';
import { Blocks, levelOfZoom, stackScale, standingOf, TINT_BELOW_ZOOM, type Block } from './blocks.ts';
import { mercatorX, mercatorY, worldSize } from './mercator.ts';
import { FRAGMENT, KIND, ROWS, VERTEX } from './shader.ts';

export interface StackInks {
  ink: [number, number, number];
  paper: [number, number, number];
  edge: [number, number, number];
  vermilion: [number, number, number];
}

const SETTLE_MS = 200;
/** After so many time constants of the approach a bar counts as settled. */
const SETTLE_CONSTANTS = 3.5;
const FLOATS = 6;
const UNIFORMS = ['center', 'world', 'size', 'scale', 'ratio', 'bars', 'ink', 'paper', 'edge', 'vermilion', 'hour', 'tint', 'opacity'] as const;

type Uniforms = Record<(typeof UNIFORMS)[number], WebGLUniformLocation | null>;

/** The blocks of one level, on the graphics card. */
interface Sheet {
  level: number;
  blocks: Block[];
  rowOf: Map<string, number>;
  array: WebGLVertexArrayObject;
  buffer: WebGLBuffer;
  texture: WebGLTexture;
  columns: number;
  shown: Float32Array;
  target: Float32Array;
  texels: Uint8Array;
  settling: boolean;
  /** States changed since the instances were written. Writing waits for a frame: only then is the context ours. */
  restated: boolean;
}

function compile(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(kind);
    if (!shader) throw new Error('the graphics context is lost');
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.bindAttribLocation(program, 0, 'a_corner');
  gl.bindAttribLocation(program, 1, 'a_anchor');
  gl.bindAttribLocation(program, 2, 'a_look');
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(`the stacks' shader failed: ${gl.getProgramInfoLog(program) ?? ''}`);
  return program;
}

/** A block of which none is live is silent as a whole. */
function kindOf(block: Block): number {
  const standing = standingOf(block);
  return standing === 'live' && block.members.length > 1 ? KIND.merged : KIND[standing];
}

export class StacksLayer implements CustomLayerInterface {
  readonly id = 'stacks';
  readonly type = 'custom';
  readonly renderingMode = '2d';
  readonly blocks = new Blocks();

  #map: MapLibreMap | null = null;
  #gl: WebGL2RenderingContext | null = null;
  #program: WebGLProgram | null = null;
  #uniforms: Uniforms | null = null;
  #corners: WebGLBuffer | null = null;
  #origin: [number, number];
  #inks: StackInks;
  #still: () => boolean;
  #hour = NEWEST;
  #sheet: Sheet | null = null;
  #leaving: Sheet | null = null;
  #turned_ms = 0;
  #drawn_ms = 0;
  #bars = new Float32Array(BARS);

  /** `still` says whether motion is reduced. */
  constructor(center: [number, number], inks: StackInks, still: () => boolean) {
    this.#origin = [mercatorX(center[0]), mercatorY(center[1])];
    this.#inks = inks;
    this.#still = still;
  }

  /** The blocks that stand now, for labels and for the pointer. */
  get standing(): readonly Block[] {
    return this.#sheet?.blocks ?? [];
  }

  onAdd(map: MapLibreMap, gl: WebGL2RenderingContext): void {
    this.#map = map;
    this.#gl = gl;
    this.#program = compile(gl);
    const program = this.#program;
    this.#uniforms = Object.fromEntries(UNIFORMS.map((name) => [name, gl.getUniformLocation(program, `u_${name}`)])) as Uniforms;
    this.#corners = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#corners);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
  }

  onRemove(): void {
    this.#drop(this.#sheet);
    this.#drop(this.#leaving);
    this.#gl?.deleteProgram(this.#program);
    this.#gl?.deleteBuffer(this.#corners);
    this.#sheet = null;
    this.#leaving = null;
  }

  setInks(inks: StackInks): void {
    this.#inks = inks;
    this.#map?.triggerRepaint();
  }

  setHour(hour: number): void {
    this.#hour = hour;
    this.#map?.triggerRepaint();
  }

  /** Values changed: their blocks' bars set out for their new heights. */
  refresh(changed: ReadonlySet<string>): void {
    const sheet = this.#sheet;
    if (!sheet) return;
    const rows = new Set<number>();
    for (const id of changed) {
      const row = sheet.rowOf.get(id);
      if (row !== undefined) rows.add(row);
    }
    if (rows.size === 0) return;
    for (const row of rows) this.#aim(sheet, row);
    sheet.settling = true;
    sheet.restated = true;
    this.#map?.triggerRepaint();
  }

  /** Who is shown changed, or their states. */
  rebuild(): void {
    if (!this.#sheet) return;
    this.#drop(this.#sheet);
    this.#sheet = null;
    this.#map?.triggerRepaint();
  }

  render(gl: WebGL2RenderingContext): void {
    const map = this.#map;
    if (!map || !this.#program || !this.#uniforms) return;
    const now_ms = performance.now();
    const zoom = map.getZoom();
    this.#turnTo(levelOfZoom(zoom), now_ms);
    const sheet = this.#sheet;
    if (!sheet) return;
    const fresh = this.#still() ? 1 : Math.min(1, (now_ms - this.#turned_ms) / SETTLE_MS);
    this.#settle(sheet, now_ms);
    if (sheet.restated) this.#writeInstances(sheet);

    gl.useProgram(this.#program);
    this.#setView(gl, map, zoom);
    if (this.#leaving && fresh < 1) this.#draw(gl, this.#leaving, 1 - fresh);
    else if (this.#leaving) {
      this.#drop(this.#leaving);
      this.#leaving = null;
    }
    this.#draw(gl, sheet, this.#leaving ? fresh : 1);
    gl.bindVertexArray(null);
    if (sheet.settling || this.#leaving) map.triggerRepaint();
  }

  #turnTo(level: number, now_ms: number): void {
    if (this.#sheet?.level === level) return;
    this.#drop(this.#leaving);
    this.#leaving = this.#sheet;
    this.#sheet = this.#sheetOf(level);
    this.#turned_ms = now_ms;
  }

  #setView(gl: WebGL2RenderingContext, map: MapLibreMap, zoom: number): void {
    const u = this.#uniforms;
    if (!u) return;
    const center = map.getCenter();
    const canvas = map.getCanvas();
    gl.uniform2f(u.center, mercatorX(center.lng) - this.#origin[0], mercatorY(center.lat) - this.#origin[1]);
    gl.uniform1f(u.world, worldSize(zoom));
    gl.uniform2f(u.size, canvas.clientWidth, canvas.clientHeight);
    gl.uniform1f(u.scale, stackScale(zoom));
    gl.uniform1f(u.ratio, canvas.width / Math.max(1, canvas.clientWidth));
    gl.uniform3fv(u.ink, this.#inks.ink);
    gl.uniform3fv(u.paper, this.#inks.paper);
    gl.uniform3fv(u.edge, this.#inks.edge);
    gl.uniform3fv(u.vermilion, this.#inks.vermilion);
    gl.uniform1i(u.hour, this.#hour);
    gl.uniform1i(u.bars, 0);
  }

  #draw(gl: WebGL2RenderingContext, sheet: Sheet, opacity: number): void {
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, sheet.texture);
    gl.uniform1i(this.#uniforms?.tint ?? null, sheet.level < TINT_BELOW_ZOOM ? 1 : 0);
    gl.uniform1f(this.#uniforms?.opacity ?? null, opacity);
    gl.bindVertexArray(sheet.array);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, sheet.blocks.length);
  }

  #sheetOf(level: number): Sheet | null {
    const gl = this.#gl;
    const array = gl?.createVertexArray();
    const buffer = gl?.createBuffer();
    const texture = gl?.createTexture();
    if (!gl || !array || !buffer || !texture) return null;
    const blocks = this.blocks.at(level);
    const columns = Math.max(1, Math.ceil(blocks.length / ROWS));
    const cells = columns * ROWS * BARS;
    const sheet: Sheet = {
      level,
      blocks,
      rowOf: new Map(blocks.flatMap((block, row) => block.members.map(({ id }) => [id, row] as const))),
      array,
      buffer,
      texture,
      columns,
      shown: new Float32Array(cells),
      target: new Float32Array(cells),
      texels: new Uint8Array(cells),
      settling: false,
      restated: false,
    };
    for (let row = 0; row < blocks.length; row += 1) this.#aim(sheet, row);
    sheet.shown.set(sheet.target);
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#corners);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    this.#writeInstances(sheet);
    const stride = FLOATS * Float32Array.BYTES_PER_ELEMENT;
    for (const [location, size, offset] of [
      [1, 2, 0],
      [2, 4, 2 * Float32Array.BYTES_PER_ELEMENT],
    ] as const) {
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, size, gl.FLOAT, false, stride, offset);
      gl.vertexAttribDivisor(location, 1);
    }
    gl.bindVertexArray(null);
    this.#writeTexels(sheet);
    return sheet;
  }

  /** Where a block's bars are to stand: its members' mean, as texels, but for the newest of what is beyond a limit. */
  #aim(sheet: Sheet, row: number): void {
    const members = sheet.blocks[row]?.members ?? [];
    const [alone] = members;
    const bars = members.length === 1 && alone ? alone.bars : this.#bars;
    if (bars === this.#bars) {
      meanBars(members.map((member) => member.bars), bars);
      // Where one is beyond its limit, the newest bar is that one's: the red must not drown in a mean.
      const beyond = members.filter((member) => member.beyond && member.state === 'live').map((member) => member.bars[NEWEST] ?? 0);
      if (beyond.length > 0) bars[NEWEST] = Math.max(...beyond);
    }
    const first = ((row % ROWS) * sheet.columns + Math.floor(row / ROWS)) * BARS;
    for (let bar = 0; bar < BARS; bar += 1) {
      const level = bars[bar] ?? Number.NaN;
      sheet.target[first + bar] = Number.isNaN(level) ? 0 : 1 + 254 * level;
    }
  }

  #settle(sheet: Sheet, now_ms: number): void {
    const past_ms = now_ms - this.#drawn_ms;
    this.#drawn_ms = now_ms;
    if (!sheet.settling) return;
    const step = this.#still() ? 1 : 1 - Math.exp((-past_ms * SETTLE_CONSTANTS) / SETTLE_MS);
    let far = false;
    for (let i = 0; i < sheet.shown.length; i += 1) {
      const from = sheet.shown[i] ?? 0;
      const to = sheet.target[i] ?? 0;
      const gap = to - from;
      // An hour that begins or ends holding a reading does so at once: 0 is no height.
      const next = from === 0 || to === 0 || Math.abs(gap) < 0.5 ? to : from + gap * step;
      far ||= next !== to;
      sheet.shown[i] = next;
    }
    sheet.settling = far;
    this.#writeTexels(sheet);
  }

  #writeTexels(sheet: Sheet): void {
    const gl = this.#gl;
    if (!gl) return;
    for (let i = 0; i < sheet.texels.length; i += 1) sheet.texels[i] = Math.round(sheet.shown[i] ?? 0);
    gl.bindTexture(gl.TEXTURE_2D, sheet.texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, BARS * sheet.columns, ROWS, 0, gl.RED, gl.UNSIGNED_BYTE, sheet.texels);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }

  #writeInstances(sheet: Sheet): void {
    const gl = this.#gl;
    if (!gl) return;
    const data = new Float32Array(sheet.blocks.length * FLOATS);
    sheet.blocks.forEach((block, row) => {
      const { x, y, angle, members } = block;
      const kind = kindOf(block);
      const beyond = members.some((member) => member.beyond && member.state === 'live') ? 1 : 0;
      data.set([x - this.#origin[0], y - this.#origin[1], angle, row, kind, beyond], row * FLOATS);
    });
    gl.bindBuffer(gl.ARRAY_BUFFER, sheet.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    sheet.restated = false;
  }

  #drop(sheet: Sheet | null): void {
    if (!sheet) return;
    this.#gl?.deleteVertexArray(sheet.array);
    this.#gl?.deleteBuffer(sheet.buffer);
    this.#gl?.deleteTexture(sheet.texture);
  }
}
