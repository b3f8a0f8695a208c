import { canonicalQuantities } from "../quantity/index.js";
import { type Node, NodeSchema } from "./node.types.js";

export function defaultNode(node: Node): Node {
  return canonicalQuantities(NodeSchema, node).value;
}
