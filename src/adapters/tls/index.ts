export { ensurePki, type Pki, type PkiOptions } from "./pki.js";
