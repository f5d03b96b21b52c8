import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { type Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** The server keeps every file compressed, and nothing else. */
function compressed(): Plugin {
  let built = "";
  return {
    name: "compressed",
    apply: "build",
    configResolved(config) {
      built = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      for (const name of readdirSync(built, { recursive: true, withFileTypes: true })) {
        const path = resolve(name.parentPath, name.name);
        // A build that fails ends here, too, with the files of the build before.
        if (!name.isFile() || path.endsWith(".gz")) continue;
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
        rmSync(path);
      }
    },
  };
}

// The server has the files at this path, and reads them from its own package.
export default defineConfig({
  base: "/_ingle/console/",
  plugins: [react(), compressed()],
  build: {
    outDir: "../src/ingle/console/built",
    emptyOutDir: true,
    // Nothing inline: the page's policy allows files of this origin only.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4000,
  },
  // The tests leave nothing behind, so they need no process each.
  test: { include: ["src/**/*.test.ts"], environment: "node", isolate: false, pool: "threads" },
});
