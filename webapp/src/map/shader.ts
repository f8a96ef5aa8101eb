/**
 * One instanced quad a stack; its bars are cut in the fragment shader out of a texture that holds 24 levels a row. So
 * five thousand stacks are one draw call, and a change of values is one small upload.
 *
 * A texel of 0 is an hour without a reading, 1 to 255 a level. Positions come relative to an origin near the map, or
 * single precision would make them tremble.
 */
import { BARS } from '../city/sensor.ts';
import { LEAST_BAR_PX, LINE_PX, PITCH_PX, STACK_HEIGHT_PX, STACK_WIDTH_PX } from '../city/stack.ts';
import { FOOT_PX } from './blocks.ts';

/** What a stack is, as the shader counts. */
export const KIND = { live: 0, silent: 1, never: 2, merged: 3, imported: 4 } as const;

/** Rows of the texture; more stacks stand in further columns, since every card can hold 2,048 by 2,048. */
export const ROWS = 1024;

/** Around the stack, for its halo and its foot. */
const MARGIN_PX = 4;

const number = (value: number): string => value.toFixed(4);

export const VERTEX = `#version 300 es
precision highp float;
in vec2 a_corner;
in vec2 a_anchor;
in vec4 a_look; // angle, row, kind, beyond
uniform vec2 u_center;
uniform float u_world;
uniform vec2 u_size;
uniform float u_scale;
uniform float u_ratio;
out vec2 v_at;
flat out int v_row;
flat out int v_kind;
flat out float v_beyond;

void main() {
  vec2 low = vec2(${number(-STACK_WIDTH_PX / 2 - MARGIN_PX)}, ${number(-MARGIN_PX)});
  vec2 high = vec2(${number(STACK_WIDTH_PX / 2 + MARGIN_PX)}, ${number(FOOT_PX + STACK_HEIGHT_PX + MARGIN_PX)});
  v_at = mix(low, high, a_corner);
  v_row = int(a_look.y);
  v_kind = int(a_look.z);
  v_beyond = a_look.w;
  vec2 along = vec2(cos(a_look.x), sin(a_look.x));
  vec2 up = vec2(along.y, -along.x);
  vec2 place = (a_anchor - u_center) * u_world;
  if (a_look.x == 0.0) place = round(place * u_ratio) / u_ratio; // level lines fall on pixels
  vec2 px = place + (along * v_at.x + up * v_at.y) * u_scale;
  gl_Position = vec4(px / u_size * vec2(2.0, -2.0), 0.0, 1.0);
}`;

export const FRAGMENT = `#version 300 es
precision highp float;
in vec2 v_at;
flat in int v_row;
flat in int v_kind;
flat in float v_beyond;
uniform sampler2D u_bars;
uniform vec3 u_ink;
uniform vec3 u_paper;
uniform vec3 u_edge;
uniform vec3 u_vermilion;
uniform int u_hour;
uniform bool u_tint;
uniform float u_scale;
uniform float u_ratio;
uniform float u_opacity;
out vec4 colour;

const float WIDTH = ${number(STACK_WIDTH_PX)};
const float HEIGHT = ${number(STACK_HEIGHT_PX)};
const float FOOT = ${number(FOOT_PX)};
const float PITCH = ${number(PITCH_PX)};
const int NEWEST = ${BARS - 1};

float soft; // one device pixel, in the stack's own units

float within(vec2 at, vec2 low, vec2 high) {
  vec2 cover = clamp((at - low) / soft + 0.5, 0.0, 1.0) * clamp((high - at) / soft + 0.5, 0.0, 1.0);
  return cover.x * cover.y;
}

float levelOf(int bar) {
  float texel = texelFetch(u_bars, ivec2(bar + (v_row / ${ROWS}) * ${BARS}, v_row % ${ROWS}), 0).r * 255.0;
  return texel < 0.5 ? -1.0 : (texel - 1.0) / 254.0;
}

void over(vec3 ink, float cover) {
  colour = vec4(ink * cover, cover) + colour * (1.0 - cover);
}

bool isMissing() {
  return u_hour == NEWEST && (v_kind == ${KIND.silent} || v_kind == ${KIND.never});
}

void frame(vec2 at, vec2 low, vec2 high) {
  over(u_paper, 0.86 * within(at, low, high));
  float edge = within(at, low, high) - within(at, low + 1.0, high - 1.0);
  bool gap = v_kind == ${KIND.never} && fract((at.x + at.y) / 6.0) > 0.5;
  over(u_ink, gap ? 0.0 : edge * 0.75);
}

// Of what was imported only the place is drawn, and room for its years: a line that ends in two short strokes.
void shelf(vec2 at, float left, float right) {
  over(u_ink, 0.6 * within(at, vec2(left, -1.0), vec2(right, 0.0)));
  over(u_ink, 0.6 * within(at, vec2(left, 0.0), vec2(left + 1.0, 5.0)));
  over(u_ink, 0.6 * within(at, vec2(right - 1.0, 0.0), vec2(right, 5.0)));
}

// Far away a block is a patch of hatching, the denser the higher its level; empty where none of it is heard.
void patchOf(vec2 at) {
  float level = levelOf(u_hour);
  vec2 mid = vec2(WIDTH * 0.5, HEIGHT * 0.5);
  if (v_kind == ${KIND.imported}) { shelf(at, mid.x - 14.0, mid.x + 14.0); return; }
  if (isMissing()) { frame(at, mid - 20.0, mid + 20.0); return; }
  float inside = within(at, mid - 20.0, mid + 20.0);
  float wave = abs(fract((at.x + at.y) / 5.0) - 0.5) * 5.0;
  float thick = 0.35 + 1.7 * max(level, 0.0);
  float line = clamp((thick - wave) / soft + 0.5, 0.0, 1.0);
  bool red = v_beyond > 0.5 && u_hour == NEWEST;
  over(red ? u_vermilion : u_ink, inside * line * (level < 0.0 ? 0.25 : 0.8));
}

void bars(vec2 at) {
  int bar = clamp(int(floor(at.x / PITCH)), 0, NEWEST);
  float level = levelOf(bar);
  bool solid = bar == u_hour;
  if (level >= 0.0 && bar <= u_hour) {
    float high = max(${number(LEAST_BAR_PX)}, level * HEIGHT);
    float left = float(bar) * PITCH;
    over(u_paper, 0.86 * within(at, vec2(left - 0.5, -1.0), vec2(left + PITCH + 0.5, high + 1.6)));
    float slim = solid ? 0.0 : (PITCH - ${number(LINE_PX)}) * 0.5;
    bool red = solid && v_beyond > 0.5 && u_hour == NEWEST;
    over(red ? u_vermilion : u_ink, (solid ? 1.0 : 0.82) * within(at, vec2(left + slim, 0.0), vec2(left + PITCH - slim, high)));
  }
  float ground = v_kind == ${KIND.merged} ? 2.0 : 1.0;
  over(u_ink, within(at, vec2(0.0, -ground), vec2(WIDTH, 0.0)));
}

// What ties a stack to its place: a short stem, and a dot on the spot.
void stem() {
  if (v_kind == ${KIND.merged}) return;
  float ink = v_kind == ${KIND.imported} ? 0.6 : 1.0;
  over(u_ink, ink * within(v_at, vec2(-0.5, 0.0), vec2(0.5, FOOT)));
  bool red = v_beyond > 0.5 && u_hour == NEWEST;
  over(red ? u_vermilion : u_ink, ink * clamp((2.2 - length(v_at)) / soft + 0.5, 0.0, 1.0));
}

void main() {
  soft = 1.0 / (u_scale * u_ratio);
  colour = vec4(0.0);
  vec2 at = v_at + vec2(WIDTH * 0.5, -FOOT);
  if (u_tint) patchOf(at);
  else {
    stem();
    if (v_kind == ${KIND.imported}) shelf(at, 0.0, WIDTH);
    else if (isMissing()) frame(at, vec2(0.0), vec2(WIDTH, HEIGHT));
    else bars(at);
  }
  colour *= u_opacity;
}`;
