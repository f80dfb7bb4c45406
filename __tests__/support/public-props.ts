import { join } from "node:path";
import ts from "typescript";
import { ROOT } from "./clone";

/** The props types of the library's public surface as the compiler knows them, each with the names of its props. */
export function publicProps(): ReadonlyMap<string, readonly string[]> {
  const index = join(ROOT, "index.ts");
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), (file) => ts.sys.readFile(file)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  // Names are asked for, not types: nothing of node or jest is needed.
  const program = ts.createProgram([index], { ...options, types: [], noEmit: true });
  const checker = program.getTypeChecker();
  const surface = checker.getSymbolAtLocation(program.getSourceFile(index)!)!;
  const all = checker.getExportsOfModule(surface).flatMap((symbol) => {
    if (!symbol.name.endsWith("Props")) return [];
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    const type = checker.getDeclaredTypeOfSymbol(isAlias ? checker.getAliasedSymbol(symbol) : symbol);
    const names = checker.getPropertiesOfType(type).map(({ name }) => name);
    return [[symbol.name, names.sort()] as const];
  });
  return new Map(all);
}
