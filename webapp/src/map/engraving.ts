/** The engraver's textures, cut on small canvases that tile without a seam: hatching, waterlines, stipple. */
import type { Inks } from './plan.ts';

export interface Texture {
  name: string;
  image: ImageData;
  pixelRatio: number;
}

const RATIO = 2;

type Cut = (pen: CanvasRenderingContext2D, size: number) => void;

function texture(name: string, size: number, ink: string, strength: number, cut: Cut): Texture {
  const canvas = document.createElement('canvas');
  canvas.width = size * RATIO;
  canvas.height = size * RATIO;
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  if (!pen) throw new Error('this browser gives no canvas to draw on');
  pen.scale(RATIO, RATIO);
  pen.strokeStyle = ink;
  pen.fillStyle = ink;
  pen.globalAlpha = strength;
  cut(pen, size);
  return { name, image: pen.getImageData(0, 0, canvas.width, canvas.height), pixelRatio: RATIO };
}

/** Lines at 45 degrees; drawn thrice, so that the corners meet their neighbours. */
const hatch: Cut = (pen, size) => {
  pen.lineWidth = 0.6;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift - 1, size + 1);
    pen.lineTo(shift + size + 1, -1);
  }
  pen.stroke();
};

/** Level lines that swell and sink once in a tile. */
const waterlines: Cut = (pen, size) => {
  pen.lineWidth = 0.6;
  const rows = 4;
  for (let row = 0; row < rows; row += 1) {
    const y = ((row + 0.5) * size) / rows;
    const phase = (row * Math.PI) / 2;
    pen.beginPath();
    for (let x = -1; x <= size + 1; x += 1) pen.lineTo(x, y + 0.7 * Math.sin((2 * Math.PI * x) / size + phase));
    pen.stroke();
  }
};

/** Dots on a lattice, shifted by half in every second row. */
const stipple: Cut = (pen, size) => {
  for (const [x, y] of [
    [0.25, 0.25],
    [0.75, 0.75],
  ] as const) {
    pen.beginPath();
    pen.arc(x * size, y * size, 0.65, 0, 2 * Math.PI);
    pen.fill();
  }
};

export function textures(inks: Inks): Texture[] {
  return [
    texture('hatch', 5, inks.ink, 0.3, hatch),
    texture('waterlines', 24, inks.ink, 0.32, waterlines),
    texture('stipple', 8, inks.ink, 0.42, stipple),
  ];
}
