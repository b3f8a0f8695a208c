import { describe, expect, it } from "vitest";
import { parseOptions } from "./options.js";

const base = ["--backend=onnx", "--model_name=iris", "--model_dir=/m"];

describe("options", () => {
  it("reads upstream's spelling, with = and with a space", () => {
    const options = parseOptions([...base, "--http_port", "9000", "--max-batch-size=8"], {});
    expect(options).toMatchObject({
      backend: "onnx",
      modelName: "iris",
      port: 9000,
      maxBatchRows: 8,
      host: "127.0.0.1",
    });
  });

  it("lets PORT override --http_port, and --host override HOST", () => {
    const options = parseOptions([...base, "--http_port=9000", "--host=::1"], {
      PORT: "9001",
      HOST: "0.0.0.0",
    });
    expect(options).toMatchObject({ port: 9001, host: "::1" });
  });

  it("lists what it ignores, value or not", () => {
    const options = parseOptions([...base, "--grpc_port", "9", "--workers=2", "--enable_grpc"], {});
    expect(options.ignored).toEqual(["--grpc_port", "--workers", "--enable_grpc"]);
  });

  it.each([
    [["--model_dir=/m"], {}, "Argument --backend must be onnx or sklearn, not missing."],
    [[...base, "--http_port=x"], {}, '--http_port must be a whole number from 0 to 65535, not "x".'],
    [[...base], { PORT: "70000" }, 'PORT must be a whole number from 0 to 65535, not "70000".'],
    [[...base, "stray"], {}, 'Unexpected argument "stray".'],
    [[...base, "--host"], {}, "Argument --host needs a value."],
  ])("refuses %j with env %j", (args, env, message) => {
    expect(() => parseOptions(args, env)).toThrow(message);
  });
});
