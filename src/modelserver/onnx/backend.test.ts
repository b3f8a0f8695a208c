import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtimes } from "../../adapters/runtimes/index.js";
import { onnxBackend } from "./backend.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const home = process.env["DRYDOCK_TEST_RUNTIMES"] ?? join(root, ".drydock/test-home");

// ---- ONNX by hand: protobuf is lengths and numbers, so every type and shape can be tried without a tool. ----

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
};
const int = (field: number, value: number) => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field: number, ...parts: (Buffer | string)[]) => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
};

const onnxTypes = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float64: 11,
  float16: 10,
} as const;
type TypeName = keyof typeof onnxTypes;
type Dim = number | string;

const tensorValue = (field: number, name: string, type: TypeName, shape: readonly Dim[]) =>
  bytes(
    field,
    bytes(1, name),
    bytes(
      2,
      bytes(
        1,
        int(1, onnxTypes[type]),
        bytes(2, ...shape.map((dim) => bytes(1, typeof dim === "number" ? int(1, dim) : bytes(2, dim)))),
      ),
    ),
  );
const input = (name: string, type: TypeName, shape: readonly Dim[]) => tensorValue(11, name, type, shape);
const output = (name: string, type: TypeName, shape: readonly Dim[]) => tensorValue(12, name, type, shape);
const node = (op: string, from: readonly string[], to: readonly string[], ...more: Buffer[]) =>
  bytes(1, ...from.map((name) => bytes(1, name)), ...to.map((name) => bytes(2, name)), bytes(4, op), ...more);
const intAttribute = (name: string, value: number) => bytes(5, bytes(1, name), int(3, value), int(20, 2));
const intsAttribute = (name: string, values: readonly number[]) =>
  bytes(5, bytes(1, name), ...values.map((value) => int(8, value)), int(20, 7));
const mlDomain = bytes(7, "ai.onnx.ml");
const onnx = (...graph: Buffer[]) =>
  Buffer.concat([
    int(1, 8),
    bytes(7, ...graph, bytes(2, "g")),
    bytes(8, bytes(1, ""), int(2, 13)),
    bytes(8, bytes(1, "ai.onnx.ml"), int(2, 2)),
  ]);
const identity = (type: TypeName, shape: readonly Dim[]) =>
  onnx(node("Identity", ["x"], ["y"]), input("x", type, shape), output("y", type, shape));

// ----

describe("the ONNX backend", () => {
  let runtimeFolder: string | undefined;
  const dirs: string[] = [];
  beforeAll(async () => {
    runtimeFolder = (await runtimes({ home }).ensure("onnx")).env["DRYDOCK_ONNXRUNTIME"];
  }, 300_000);
  afterAll(() => {
    for (const dir of dirs) rmSync(dir, { recursive: true });
  });

  function open(model: Buffer | string, predictProba = false) {
    const modelDir = mkdtempSync(join(tmpdir(), "drydock-onnx-"));
    dirs.push(modelDir);
    writeFileSync(join(modelDir, "model.onnx"), model);
    return onnxBackend({ modelDir, modelDirLabel: "/mnt/models", runtimeFolder, threads: 1, predictProba });
  }

  async function predict(model: Buffer, instances: readonly unknown[], predictProba = false) {
    const backend = await open(model, predictProba);
    return (await backend.run([backend.prepare(instances)]))[0];
  }

  it.each([
    ["float32", [[0.5, true, -2]], [[0.5, 1, -2]]],
    ["float64", [[0.1, 1e300, 3]], [[0.1, 1e300, 3]]],
    ["int32", [[1, -2, 3]], [[1, -2, 3]]],
    ["int64", [[1, -2, 9007199254740991]], [[1, -2, 9007199254740991]]],
    ["uint8", [[0, 1, 255]], [[0, 1, 255]]],
    ["string", [["a", "é", 3]], [["a", "é", "3"]]],
    ["bool", [[true, 0, 1]], [[true, false, true]]],
  ] as const)("carries %s there and back", async (type, instances, answer) => {
    expect(await predict(identity(type, ["N", 3]), instances)).toEqual(answer);
  });

  it.each([
    ["float32", ["a"], 'Input "x" (float32), instance 0, takes a number, not "a".'],
    ["int32", [1.5], 'Input "x" (int32), instance 0, takes a whole number, not 1.5.'],
    ["uint8", [256], 'Input "x" (uint8), instance 0, takes a whole number from 0 to 255, not 256.'],
    ["int64", [1e30], 'Input "x" (int64), instance 0, takes a signed 64-bit number, not 1e+30.'],
    ["bool", [2], 'Input "x" (bool), instance 0, takes true or false, not 2.'],
    ["string", [null], 'Input "x" (string), instance 0, takes a string, not null.'],
  ] as const)("refuses what %s cannot hold: %j", async (type, row, message) => {
    const backend = await open(identity(type, ["N", 1]));
    expect(() => backend.prepare([row])).toThrow(message);
  });

  it("takes images, columns of one, rows of one value, and shapes the model leaves open", async () => {
    const image = [
      [
        [1, 2],
        [3, 4],
      ],
    ];
    expect(await predict(identity("float32", ["N", 1, 2, 2]), [image, image])).toEqual([image, image]);
    expect(await predict(identity("float32", ["N", 1]), [1, 2])).toEqual([[1], [2]]);
    expect(await predict(identity("float32", ["N"]), [1, 2])).toEqual([1, 2]);
    expect(await predict(identity("float32", ["N", "M"]), [[1, 2, 3]])).toEqual([[1, 2, 3]]);
  });

  it("says which row does not fit, and how", async () => {
    const backend = await open(identity("float32", ["N", 2]));
    const says = (instances: readonly unknown[], message: string) =>
      expect(() => backend.prepare(instances)).toThrow(message);
    says([], 'Expected "instances" to hold at least one row.');
    says([[1]], 'Input "x" takes instances of shape [2], but instance 0 has shape [1].');
    says([[1, 2], [3]], "Instance 1 has 1 values where instance 0 has 2: all need the same shape.");
    says([[1, 2], 3], "Instance 1 is 3 where instance 0 has a list.");
    says([{ x: [1, 2] }, [3, 4]], "Instance 1 is a list, not an object.");
    expect(() => backend.prepare(JSON.parse(`[${"[".repeat(40)}${"]".repeat(40)}]`))).toThrow(
      "nested deeper",
    );
  });

  it("feeds several inputs by name", async () => {
    const model = onnx(
      node("Concat", ["a", "b"], ["y"], intAttribute("axis", 1)),
      input("a", "float32", ["N", 2]),
      input("b", "float32", ["N", 1]),
      output("y", "float32", ["N", 3]),
    );
    expect(await predict(model, [{ a: [1, 2], b: 3 }])).toEqual([[1, 2, 3]]);
    const backend = await open(model);
    expect(() => backend.prepare([{ a: [1, 2] }])).toThrow('Instance 0 has no value for input "b".');
    expect(() => backend.prepare([[1, 2, 3]])).toThrow("each instance must be an object with a, b.");
  });

  it("runs a model of fixed batch size as often as needed", async () => {
    expect(await predict(identity("float32", [1, 2]), [[1, 2], [3, 4]])).toEqual([[1, 2], [3, 4]]); // biome-ignore format: a table
    const pairs = await open(identity("float32", [2, 1]));
    expect(() => pairs.prepare([[1], [2], [3]])).toThrow(
      "This model takes 2 instances at a time, but 3 were sent.",
    );
  });

  it("answers several requests in one call as it would one by one", async () => {
    const backend = await open(identity("float32", ["N", 2]));
    const requests = [[[1, 2]], [[3, 4], [5, 6]], [[7, 8]]].map((rows) => backend.prepare(rows)); // biome-ignore format: a table
    expect(new Set(requests.map(({ shape }) => shape)).size).toBe(1);
    expect(await backend.run(requests)).toEqual([[[1, 2]], [[3, 4], [5, 6]], [[7, 8]]]); // biome-ignore format: a table
  });

  it("does not share a call of a model that answers once for all rows", async () => {
    const model = onnx(
      node("ReduceSum", ["x"], ["y"], intAttribute("keepdims", 1)),
      input("x", "float32", ["N", 1]),
      output("y", "float32", [1, 1]),
    );
    const backend = await open(model);
    expect(backend.prepare([[1]]).shape).toBeUndefined();
    expect(await predict(model, [[1], [2]])).toEqual([[3]]);
  });

  it("passes over an output that is no tensor", async () => {
    const zipMap = node("ZipMap", ["x"], ["map"], intsAttribute("classlabels_int64s", [0, 1]), mlDomain);
    const sequence = bytes(4, bytes(1, bytes(5, int(1, 7), bytes(2, bytes(1, int(1, 1)))))); // sequence of map of int64 to float
    const model = onnx(
      zipMap,
      node("Identity", ["x"], ["y"]),
      input("x", "float32", ["N", 2]),
      bytes(12, bytes(1, "map"), bytes(2, sequence)),
      output("y", "float32", ["N", 2]),
    );
    expect(await predict(model, [[0.25, 0.75]])).toEqual([[0.25, 0.75]]);
  });

  it("answers labels, or probabilities when they are wanted", async () => {
    const iris = join(root, "examples/models/onnx-iris");
    const open = (predictProba: boolean) =>
      onnxBackend({ modelDir: iris, modelDirLabel: iris, runtimeFolder, threads: 1, predictProba });
    const rows = [[6.8, 2.8, 4.8, 1.4]];
    const labels = await open(false);
    expect(await labels.run([labels.prepare(rows)])).toEqual([[1]]);
    const proba = await open(true);
    const [[answer]] = (await proba.run([proba.prepare(rows)])) as unknown as [[number[]]];
    expect(answer).toHaveLength(3);
    expect(answer[0]! + answer[1]! + answer[2]!).toBeCloseTo(1, 5);
  });

  it("names the file and the cause when it cannot load", async () => {
    await expect(open("this is no model")).rejects.toThrow(
      /^Model file \/mnt\/models\/model\.onnx cannot be loaded: .*(protobuf|Protobuf)/,
    );
    await expect(open("")).rejects.toThrow("Model file /mnt/models/model.onnx cannot be loaded: ");
    await expect(open(identity("float16", ["N", 2]))).rejects.toThrow(
      'Model file /mnt/models/model.onnx: input "x" is float16, which this server cannot feed.',
    );
  });

  it("says what to do when the runtime is missing", async () => {
    const modelDir = join(root, "examples/models/onnx-iris");
    const options = { modelDir, modelDirLabel: modelDir, threads: 1, predictProba: false };
    await expect(onnxBackend({ ...options, runtimeFolder: undefined })).rejects.toThrow(
      "Run `drydock runtimes install onnx`",
    );
    await expect(onnxBackend({ ...options, runtimeFolder: "/no/such" })).rejects.toThrow(
      "ONNX Runtime in /no/such cannot be loaded",
    );
  });
});
