// Taking a container away.
import { isPortError } from "../../ports/index.js";
import type { EngineApi } from "./api.js";

/** With its anonymous volumes; true when it is there no more. */
export async function remove(api: EngineApi, id: string): Promise<boolean> {
  try {
    await api.call("DELETE", `/containers/${id}`, { query: { force: true, v: true }, withinMs: 0 });
    return true;
  } catch (error) {
    return isPortError(error, "NotFound");
  }
}
