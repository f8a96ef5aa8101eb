/** Signs for what stands at a place, cut on small canvases: told apart by shape, so that colour is never the only mark. */
import type { Texture } from './engraving.ts';

export interface SignInks {
  paper: string;
  ink: string;
  fibre: string;
  vermilion: string;
  muted: string;
  [series: `series-${number}`]: string;
}

const RATIO = 3;
/** Numbers that ways have by the colour of a series. */
const NUMBERS = [1, 2, 3, 4, 5, 6] as const;
const SIZE_PX = 24;

type Cut = (pen: CanvasRenderingContext2D, middle: number) => void;

function sign(name: string, cut: Cut): Texture {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIZE_PX * RATIO;
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  if (!pen) throw new Error('this browser gives no canvas to draw on');
  pen.scale(RATIO, RATIO);
  pen.lineJoin = 'round';
  cut(pen, SIZE_PX / 2);
  return { name, image: pen.getImageData(0, 0, canvas.width, canvas.height), pixelRatio: RATIO };
}

function shape(pen: CanvasRenderingContext2D, corners: readonly (readonly [number, number])[], fill: string, stroke: string, width: number): void {
  pen.beginPath();
  corners.forEach(([x, y], at) => (at === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)));
  pen.closePath();
  pen.fillStyle = fill;
  pen.strokeStyle = stroke;
  pen.lineWidth = width;
  pen.fill();
  pen.stroke();
}

const square = (m: number, r: number): [number, number][] => [[m - r, m - r], [m + r, m - r], [m + r, m + r], [m - r, m + r]];
const diamond = (m: number, r: number): [number, number][] => [[m, m - r], [m + r, m], [m, m + r], [m - r, m]];

function ring(pen: CanvasRenderingContext2D, m: number, r: number, fill: string, stroke: string, width: number): void {
  pen.beginPath();
  pen.arc(m, m, r, 0, 2 * Math.PI);
  pen.fillStyle = fill;
  pen.strokeStyle = stroke;
  pen.lineWidth = width;
  pen.fill();
  pen.stroke();
}

/** A cross is a fault; a bar, in a ring, is a street that is forbidden; a dot in one is a street that is kept. */
export function signs(inks: SignInks): Texture[] {
  return [
    sign('office', (pen, m) => {
      shape(pen, square(m, 9), inks.ink, inks.paper, 2);
      shape(pen, square(m, 4), inks.ink, inks.paper, 1.4);
    }),
    sign('cabinet', (pen, m) => shape(pen, diamond(m, 9), inks.fibre, inks.paper, 2)),
    sign('closure', (pen, m) => ring(pen, m, 5.5, inks.paper, inks.fibre, 2.4)),
    sign('fault', (pen, m) => {
      ring(pen, m, 9, inks.paper, inks.vermilion, 2);
      pen.strokeStyle = inks.vermilion;
      pen.lineWidth = 2.4;
      pen.beginPath();
      pen.moveTo(m - 4, m - 4);
      pen.lineTo(m + 4, m + 4);
      pen.moveTo(m + 4, m - 4);
      pen.lineTo(m - 4, m + 4);
      pen.stroke();
    }),
    sign('closed', (pen, m) => {
      ring(pen, m, 7.5, inks.paper, inks.ink, 2);
      pen.fillStyle = inks.ink;
      pen.fillRect(m - 4.5, m - 1.4, 9, 2.8);
    }),
    sign('locked', (pen, m) => {
      ring(pen, m, 7.5, inks.paper, inks.ink, 2);
      ring(pen, m, 2.6, inks.ink, inks.ink, 1);
    }),
    ...NUMBERS.map((number) =>
      sign(`phase-${number}`, (pen, m) => {
        ring(pen, m, 8.5, inks.paper, inks[`series-${number}`] ?? inks.ink, 2);
        pen.fillStyle = inks.ink;
        pen.font = "600 11px 'IBM Plex Mono', monospace";
        pen.textAlign = 'center';
        pen.textBaseline = 'middle';
        pen.fillText(String(number), m, m + 0.8);
      }),
    ),
  ];
}
