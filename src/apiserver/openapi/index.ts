export { openapiV3Document, openapiV3Index } from "./document.js";
