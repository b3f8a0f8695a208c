// Model runtimes are installed once for all tests: 300 MB that every run would fetch anew otherwise.
import { join } from "node:path";
import { root } from "./sources.js";

export const runtimesHome = process.env["DRYDOCK_TEST_RUNTIMES"] ?? join(root, ".drydock/test-home");
