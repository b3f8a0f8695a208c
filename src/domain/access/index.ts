export { type AccessRequest, anonymous, type Caller, readings } from "./caller.js";
export { type Decision, decideAccess } from "./decide.js";
export { compilePolicy, type Policy } from "./policy.js";
export { type RbacInput, rbacPolicies } from "./rbac.js";
export { type Labels, onGateway, onWorkload } from "./scope.js";
