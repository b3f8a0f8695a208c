export { pickLeastLoaded } from "./pick.js";
