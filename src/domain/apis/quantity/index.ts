export { canonicalQuantities } from "./canonical.js";
export {
  addQuantities,
  asMilli,
  asNumber,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
} from "./quantity.js";
