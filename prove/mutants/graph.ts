/**
 * Modules of the repository in a graph of our own, of which one file can be replaced again and again.
 *
 * The first load keeps every module. For a mutant, only the mutated file and what imports it, directly or not, are
 * made anew; libtorch, the operators and all else stay loaded. Rests on `vm.SourceTextModule` (Node's
 * `--experimental-vm-modules`): modules that nothing refers to any more are collected. Nothing is written to disk.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import ts from 'typescript';

/** What a module exports, by name. */
export type Exports = Readonly<Record<string, unknown>>;

export class ModuleGraph {
  /** By path, as first loaded. */
  readonly #kept = new Map<string, vm.SourceTextModule>();
  /** JavaScript of the files as they are. */
  readonly #compiled = new Map<string, string>();
  readonly #packages = new Map<string, Promise<vm.SyntheticModule>>();
  #mutated: { path: string; code: string; affected: ReadonlySet<string> } | undefined;
  #fresh = new Map<string, vm.SourceTextModule>();

  /**
   * @param targets  files whose loops call the global `mutantTick` in every turn, so that one without end can be ended
   * @param replaced modules that stand in for packages of the same name
   */
  constructor(
    private readonly targets: ReadonlySet<string>,
    private readonly replaced: Readonly<Record<string, Exports>>,
  ) {}

  /** From now on this file has this text, and all others their own. */
  mutate(path: string, code: string): void {
    this.#fresh = new Map();
    this.#mutated = { path, code, affected: this.#importersOf(path) };
  }

  /** Whether a file, loaded before, imports what is mutated. */
  isAffected(path: string): boolean {
    return this.#mutated?.affected.has(path) ?? false;
  }

  /** Links and evaluates a file with all that it imports. */
  async load(path: string): Promise<void> {
    await this.#evaluated(path);
  }

  async #evaluated(path: string): Promise<vm.Module> {
    const module = this.#module(path);
    if (module.status === 'unlinked')
      await module.link((specifier, from) => this.#resolve(specifier, from.identifier));
    await module.evaluate();
    return module;
  }

  async #resolve(specifier: string, from: string): Promise<vm.Module> {
    if (specifier.startsWith('.')) return this.#module(fileOf(specifier, from));
    const known = this.#packages.get(specifier) ?? this.#package(specifier);
    this.#packages.set(specifier, known);
    return await known;
  }

  #module(path: string): vm.SourceTextModule {
    const modules = this.isAffected(path) ? this.#fresh : this.#kept;
    const known = modules.get(path);
    if (known !== undefined) return known;
    const made = new vm.SourceTextModule(this.#code(path), {
      identifier: path,
      initializeImportMeta: (meta) => {
        const url = pathToFileURL(path).href;
        const resolveUrl = (specifier: string): string => import.meta.resolve(specifier);
        Object.assign(meta, { url, dirname: dirname(path), filename: path, resolve: resolveUrl });
      },
      importModuleDynamically: (specifier) =>
        specifier.startsWith('.')
          ? this.#evaluated(fileOf(specifier, path))
          : this.#resolve(specifier, path),
    });
    modules.set(path, made);
    return made;
  }

  #code(path: string): string {
    const before = this.targets.has(path) ? [tickingLoops] : [];
    if (path === this.#mutated?.path) return compile(path, this.#mutated.code, before);
    const known = this.#compiled.get(path) ?? compile(path, readFileSync(path, 'utf8'), before);
    this.#compiled.set(path, known);
    return known;
  }

  async #package(name: string): Promise<vm.SyntheticModule> {
    const exports = this.replaced[name] ?? ((await import(name)) as Exports);
    const module = new vm.SyntheticModule(
      Object.keys(exports),
      function (this: vm.SyntheticModule) {
        for (const [key, value] of Object.entries(exports)) this.setExport(key, value);
      },
    );
    await module.link(() => undefined as never);
    await module.evaluate();
    return module;
  }

  /** A kept module and those that import it, directly or not. */
  #importersOf(path: string): Set<string> {
    const importers = new Map<string, string[]>();
    for (const [from, module] of this.#kept)
      for (const specifier of module.dependencySpecifiers) {
        if (!specifier.startsWith('.')) continue;
        const to = fileOf(specifier, from);
        importers.set(to, [...(importers.get(to) ?? []), from]);
      }
    const found = new Set([path]);
    for (const file of found) for (const importer of importers.get(file) ?? []) found.add(importer);
    return found;
  }
}

/** Imports name the compiled file. */
function fileOf(specifier: string, from: string): string {
  const path = resolve(dirname(from), specifier);
  const source = path.replace(/\.js$/, '.ts');
  return existsSync(source) ? source : path;
}

function compile(
  path: string,
  source: string,
  before: ts.TransformerFactory<ts.SourceFile>[],
): string {
  return ts.transpileModule(source, {
    fileName: path,
    transformers: { before },
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  }).outputText;
}

const tickingLoops: ts.TransformerFactory<ts.SourceFile> = (context) => (file) => {
  const { factory } = context;
  const tick = factory.createExpressionStatement(
    factory.createCallExpression(factory.createIdentifier('mutantTick'), undefined, []),
  );
  const visit = (node: ts.Node): ts.Node => {
    const visited = ts.visitEachChild(node, visit, context);
    if (!ts.isIterationStatement(visited, false)) return visited;
    const statement = factory.createBlock([tick, visited.statement]);
    if (ts.isForStatement(visited))
      return factory.updateForStatement(
        visited,
        visited.initializer,
        visited.condition,
        visited.incrementor,
        statement,
      );
    if (ts.isForOfStatement(visited))
      return factory.updateForOfStatement(
        visited,
        visited.awaitModifier,
        visited.initializer,
        visited.expression,
        statement,
      );
    if (ts.isWhileStatement(visited))
      return factory.updateWhileStatement(visited, visited.expression, statement);
    return visited;
  };
  return visit(file) as ts.SourceFile;
};
