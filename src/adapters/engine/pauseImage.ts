/**
 * The image of the container that holds a pod's network: one program of a few instructions that sleeps for ever. It
 * is made here, so that no registry is needed for it, and is the same everywhere.
 */
import { createHash } from "node:crypto";
import { pack } from "tar-stream";
import { PortError } from "../../ports/index.js";
import type { EngineApi } from "./api.js";

export const pauseImage = "drydock.dev/pause:1";
export const pauseProgram = "/pause";

/** Machine and code of an ELF program; each code calls the kernel to wait for signals, and does so again. */
const programs: { readonly [architecture: string]: { readonly machine: number; readonly code: Uint8Array } } =
  {
    // again: mov eax, 34 (pause); syscall; jmp again
    amd64: { machine: 62, code: Uint8Array.of(0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7) },
    // again: x0..x3 = 0; x8 = 73 (ppoll); svc 0; b again
    arm64: {
      machine: 183,
      code: new Uint8Array(
        Uint32Array.of(
          ...[0xd2800000, 0xd2800001, 0xd2800002, 0xd2800003, 0xd2800928, 0xd4000001, 0x17fffffa],
        ).buffer,
      ),
    },
  };

/** Asked for once per engine; an image that is there already is left as it is. */
export async function ensurePauseImage(api: EngineApi, architecture: string): Promise<void> {
  const isThere = await api.call("GET", `/images/${pauseImage}/json`).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  const program = programs[architecture];
  if (program === undefined) {
    const known = Object.keys(programs).join(" and ");
    throw new PortError(
      "ServiceUnavailable",
      `pods of several containers need an engine on ${known}; this one runs on ${architecture}`,
    );
  }
  await api.call("POST", "/images/load", {
    query: { quiet: true },
    archive: await imageArchive(architecture, elf(program)),
  });
}

/** An image of one file, as `docker save` would write it. */
async function imageArchive(architecture: string, program: Buffer): Promise<Buffer> {
  const layer = await archiveOf([{ name: pauseProgram.slice(1), content: program, mode: 0o755 }]);
  const config = JSON.stringify({
    architecture,
    os: "linux",
    created: new Date(0).toISOString(),
    config: { Entrypoint: [pauseProgram] },
    rootfs: { type: "layers", diff_ids: [`sha256:${sha256(layer)}`] },
    history: [{ created: new Date(0).toISOString(), created_by: "drydock" }],
  });
  const name = `${sha256(config)}.json`;
  const manifest = [{ Config: name, RepoTags: [pauseImage], Layers: ["layer.tar"] }];
  return archiveOf([
    { name, content: config, mode: 0o644 },
    { name: "layer.tar", content: layer, mode: 0o644 },
    { name: "manifest.json", content: JSON.stringify(manifest), mode: 0o644 },
  ]);
}

function sha256(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** A 64-bit little-endian program: one header, one segment, the code right behind them. */
function elf({ machine, code }: { readonly machine: number; readonly code: Uint8Array }): Buffer {
  const base = 0x400000;
  const headBytes = 64 + 56;
  const size = headBytes + code.length;
  const head = Buffer.alloc(headBytes);
  head.write("\x7fELF\x02\x01\x01", "latin1");
  head.writeUInt16LE(2, 16); // an executable
  head.writeUInt16LE(machine, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(BigInt(base + headBytes), 24); // where it begins
  head.writeBigUInt64LE(64n, 32); // the table of segments
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(1, 64); // to be loaded
  head.writeUInt32LE(5, 68); // readable, executable
  head.writeBigUInt64LE(BigInt(base), 80);
  head.writeBigUInt64LE(BigInt(base), 88);
  head.writeBigUInt64LE(BigInt(size), 96);
  head.writeBigUInt64LE(BigInt(size), 104);
  head.writeBigUInt64LE(0x10000n, 112); // the largest page any of these machines has
  return Buffer.concat([head, code]);
}

async function archiveOf(
  files: readonly { readonly name: string; readonly content: string | Buffer; readonly mode: number }[],
): Promise<Buffer> {
  const archive = pack();
  for (const { name, content, mode } of files) archive.entry({ name, mode, mtime: new Date(0) }, content);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
