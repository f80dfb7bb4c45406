export { EtlStack } from "./etl-stack";
export { selectEnvironments } from "./registry";
export { StateStack } from "./state-stack";
