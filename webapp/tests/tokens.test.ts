import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { contrast, type Rgb } from '../src/design/contrast.ts';

const TEXT = ['ink', 'muted', 'vermilion', 'fibre', 'amber', 'moss'];
const GRAPHICS = ['edge', 'series-1', 'series-2', 'series-3', 'series-4', 'series-5', 'series-6'];
const css = readFileSync(new URL('../src/style/tokens.css', import.meta.url), 'utf8');

function token(name: string, theme: 0 | 1): Rgb {
  const colours = new RegExp(`--${name}: light-dark\\((#\\w{6})\\w*, (#\\w{6})\\w*\\)`).exec(css);
  assert.ok(colours, `--${name} is not in tokens.css`);
  const hex = colours[theme + 1] ?? '';
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as unknown as Rgb;
}

for (const [theme, name] of ['light', 'dark'].entries() as ArrayIterator<[0 | 1, string]>) {
  for (const ground of ['paper', 'panel']) {
    test(`text holds 4.5 : 1 and graphics 3 : 1 on ${ground}, ${name}`, () => {
      for (const [inks, least] of [
        [TEXT, 4.5],
        [GRAPHICS, 3],
      ] as const) {
        for (const ink of inks) {
          const ratio = contrast(token(ink, theme), token(ground, theme));
          assert.ok(ratio >= least, `${ink} on ${ground}: ${ratio.toFixed(2)}`);
        }
      }
    });
  }
}
