import { AsyncResource } from "node:async_hooks";

// biome-ignore lint/suspicious/noExplicitAny: whatever is bound is called with whatever it is called with.
type Any = (this: any, ...heard: any[]) => any;

/**
 * `node:http2` binds a function for every request it sends. Node's own `bind` gives it a deprecated property, whose two
 * accessors get a prototype each; V8 remembers those prototypes, and the whole request that hangs on them, until the next
 * collection of everything. This one runs the function in the same scope and leaves out the property, and the number of
 * parameters. For processes that are all ours.
 */
export function bindLightly(): void {
  const bound = new AsyncResource("probe").bind(() => {});
  if (!Object.hasOwn(bound, "asyncResource")) return;
  AsyncResource.prototype.bind = function bind<Bound extends Any>(
    this: AsyncResource,
    run: Bound,
    thisArg?: unknown,
  ) {
    const resource = this;
    if (thisArg !== undefined) return resource.runInAsyncScope.bind(resource, run, thisArg);
    return function (this: unknown, ...heard: unknown[]) {
      return resource.runInAsyncScope(run, this, ...heard);
    };
  } as typeof AsyncResource.prototype.bind;
}
