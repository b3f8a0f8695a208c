export { type Canonical, canonicalQuantities, quantityErrors } from "./canonical.js";
export {
  addQuantities,
  asMilli,
  asNumber,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  quantityRule,
} from "./quantity.js";
