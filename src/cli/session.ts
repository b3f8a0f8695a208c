// What most commands begin with: the running instance, a way to its API, and an end that leaves nothing open.
import type { Api, Context, Instance } from "./context.js";
import { CliError } from "./errors.js";

export async function runningInstance({ instances }: Pick<Context, "instances">): Promise<Instance> {
  const instance = await instances.find();
  if (instance === undefined) {
    throw new CliError(`Drydock is not running in ${instances.home}. Start it with \`drydock up --detach\`.`);
  }
  return instance;
}

export async function withApi<T>(
  context: Pick<Context, "instances">,
  run: (api: Api, instance: Instance) => Promise<T>,
): Promise<T> {
  const instance = await runningInstance(context);
  const api = await context.instances.connect(instance);
  try {
    return await run(api, instance);
  } finally {
    api.close();
  }
}
