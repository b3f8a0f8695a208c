// Joins the compiled modules of each program into few files: loading five hundred small ones is most of a start.
import { relative } from "node:path/posix";
import { rolldown } from "rolldown";

const programs = ["cli", "detached", "gateway", "modelserver", "storage-initializer"];

/** The library and every program; what they share lies beside the programs, in dist/cmd. */
export async function bundle(dist) {
  const build = await rolldown({
    input: {
      index: `${dist}/index.js`,
      ...Object.fromEntries(programs.map((name) => [`cmd/${name}`, `${dist}/cmd/${name}.js`])),
    },
    platform: "node",
    // Loads a native part by its own place.
    external: [/^node:/, "libsql"],
    plugins: [ownPlace(`${dist}/cmd`)],
  });
  await build.write({
    dir: dist,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "cmd/part-[name]-[hash].js",
  });
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
