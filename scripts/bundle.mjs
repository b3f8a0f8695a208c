// Joins the compiled modules of each program into few files: loading five hundred small ones is most of a start.
import { writeFileSync } from "node:fs";
import { relative } from "node:path/posix";
import { rolldown } from "rolldown";
import { noticesOf } from "./notices.mjs";

const programs = ["cli", "detached", "gateway", "modelserver", "queueproxy", "storage-initializer"];

/** Modules that do nothing at import: when nobody uses what they declare, nobody need load them (CEL in the gateway, say). */
const onlyDeclares = (id) =>
  id.startsWith("node:") || id.includes("/cel-js/") || !id.includes("/node_modules/");

/** The library and every program; what they share lies beside the programs, in dist/cmd. */
export async function bundle(dist) {
  const input = {
    index: `${dist}/index.js`,
    ...Object.fromEntries(programs.map((name) => [`cmd/${name}`, `${dist}/cmd/${name}.js`])),
  };
  const entries = new Set(Object.values(input));
  const build = await rolldown({
    input,
    platform: "node",
    // Loads a native part by its own place.
    external: [/^node:/, "libsql", "docker-modem"],
    plugins: [ownPlace(`${dist}/cmd`)],
    treeshake: { moduleSideEffects: (id) => entries.has(id) || !onlyDeclares(id) },
  });
  const { output } = await build.write({
    dir: dist,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "cmd/part-[name]-[hash].js",
  });
  const modules = output.flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : []));
  writeFileSync(`${dist}/THIRD-PARTY-NOTICES.txt`, noticesOf(modules));
}

/** A module that asks where it is gets the place it had before it was joined. */
function ownPlace(folder) {
  return {
    name: "own-place",
    transform(code, id) {
      if (id.includes("/node_modules/") || !code.includes("import.meta.url")) return undefined;
      const place = JSON.stringify(relative(folder, id));
      return code.replaceAll("import.meta.url", `new URL(${place}, import.meta.url).href`);
    },
  };
}
