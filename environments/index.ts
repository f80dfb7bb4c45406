export { EtlStack } from "./etl-stack";
export { selectEnvironments } from "./registry";
