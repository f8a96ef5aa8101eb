/**
 * Builds the client: hashed names under `assets/`, the three text faces preloaded, and a `.br` and a `.gz` beside every
 * text file, so that the server compresses nothing while it serves. `build.py` says into which folder, and puts what is
 * whole among the Python package's static files.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type HtmlTagDescriptor, type Plugin } from 'vite';

const COMPRESSIBLE = /\.(css|html|js|json|mjs|svg|txt)$/;
const WORTH_COMPRESSING_BYTES = 1024;
const FIRST_FACES = /(newsreader-latin-400-normal|atkinson-hyperlegible-next-latin-400-normal|ibm-plex-mono-latin-400-normal)[^/]*\.woff2$/;

/** Asks for the faces of the first view at once, not only when the style sheet has been read. */
function preloadFaces(): Plugin {
  return {
    name: 'broadstreet:preload-faces',
    transformIndexHtml: {
      order: 'post',
      handler(_html, context): HtmlTagDescriptor[] {
        return Object.keys(context.bundle ?? {})
          .filter((name) => FIRST_FACES.test(name))
          .sort()
          .map((name) => ({
            tag: 'link',
            attrs: { rel: 'preload', as: 'font', type: 'font/woff2', href: `/${name}`, crossorigin: true },
            injectTo: 'head',
          }));
      },
    },
  };
}

/** Writes the compressed forms beside each text file once the bundle is on disk. */
function compress(): Plugin {
  let folder: string;
  return {
    name: 'broadstreet:compress',
    apply: 'build',
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !COMPRESSIBLE.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const content = readFileSync(path);
        if (content.length < WORTH_COMPRESSING_BYTES) continue;
        writeFileSync(`${path}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));
        writeFileSync(
          `${path}.br`,
          brotliCompressSync(content, {
            params: {
              [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
              [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
            },
          }),
        );
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte(), preloadFaces(), compress()],
  build: {
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1300, // MapLibre, which comes only with a map
    reportCompressedSize: false,
    // Two maps share it. It comes with the first of them, and no page that draws none loads it.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'maplibre', test: /node_modules[\\/]maplibre-gl/ }] } } },
  },
});
