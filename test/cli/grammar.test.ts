// What the command line accepts, and how it says no: exit codes, one line on stderr, no stack trace.
import { describe, expect, test } from "vitest";
import { drydock } from "./fake.js";

const commands = [
  "up",
  "down",
  "status",
  "kubeconfig",
  "deploy",
  "predict",
  "apply",
  "get",
  "describe",
  "delete",
  "logs",
  "runtimes",
  "autoscale",
  "demo",
  "version",
];

describe("help", () => {
  test("names every command and ends well", async () => {
    const { code, out, err } = await drydock(["--help"]);
    expect([code, err]).toEqual([0, ""]);
    for (const command of commands) expect(out).toMatch(new RegExp(`^  ${command}\\b`, "m"));
  });

  test.each(commands)("%s --help says what it does", async (command) => {
    const { code, out } = await drydock([command, "--help"]);
    expect(code).toBe(0);
    expect(out).toContain(`Usage: drydock ${command}`);
  });
});

describe("wrong usage is exit code 2 and one line that says where to look", () => {
  test.each([
    [["frob"], "error: unknown command 'frob'. See `drydock --help`.\n"],
    [["get"], "error: missing required argument 'kind'. See `drydock get --help`.\n"],
    [["get", "pods", "--foo"], "error: unknown option '--foo'. See `drydock get --help`.\n"],
    [
      ["up", "--api-port", "70000"],
      'error: --api-port must be a port from 0 to 65535 (0 takes a free one), not "70000".\n',
    ],
    [
      ["get", "pods", "-o", "xml"],
      'error: unable to match a printer for "-o xml": choose wide|json|yaml|name.\n',
    ],
    [
      ["logs", "p", "--since", "soon"],
      'error: invalid --since "soon": write a duration such as 90s, 10m or 1h30m.\n',
    ],
    [["delete"], "error: say what to delete: KIND NAME, KIND/NAME or -f FILE.\n"],
    [
      ["delete", "pods"],
      "error: resource(s) were provided, but no name was specified: add a name, -l SELECTOR or --all.\n",
    ],
    [["predict", "iris", "-d", "{}", "--path", "v1"], 'error: --path must begin with "/": "v1".\n'],
    [
      ["deploy", "iris", "-m", "s3://bucket/iris"],
      "error: s3://bucket/iris: nothing in it gives away the model's format. Say it with --format, such as onnx or sklearn.\n",
    ],
  ])("drydock %j", async (words, line) => {
    const { code, out, err } = await drydock(words);
    expect({ code, out, err }).toEqual({ code: 2, out: "", err: line });
  });
});

describe("trouble is exit code 1", () => {
  test("without an instance, the line says how to get one", async () => {
    const { code, err } = await drydock(["get", "pods"], { running: false });
    expect(code).toBe(1);
    expect(err).toBe(
      "error: Drydock is not running in /home/ada/.drydock. Start it with `drydock up --detach`.\n",
    );
  });

  test("a bug of ours shows no stack trace, unless asked", async () => {
    const quiet = await drydock(["runtimes", "list"]);
    expect(quiet.code).toBe(1);
    expect(quiet.err).toBe("error: this test has no such thing (set DRYDOCK_DEBUG=1 to see where)\n");
    const loud = await drydock(["runtimes", "list"], { context: { env: { DRYDOCK_DEBUG: "1" } } });
    expect(loud.err).toContain("    at ");
  });

  test("after Ctrl-C nothing is said, and the code is the shell's own", async () => {
    const stopped = AbortSignal.abort();
    const { code, err } = await drydock(["get", "widgets"], { context: { signal: stopped } });
    expect([code, err]).toEqual([130, ""]);
  });
});

test("version", async () => {
  expect((await drydock(["version"], { running: false })).out).toBe("drydock 0.1.0\n");
  expect((await drydock(["version"])).out).toBe("drydock 0.1.0\nserver  0.1.0\n");
});
