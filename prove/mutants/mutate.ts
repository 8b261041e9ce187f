/**
 * The mutants of a source file: small changes of meaning, one at a time, found in its syntax tree.
 *
 * Texts, types, imports and exports are left alone. A mutant that another one of the list makes superfluous is not
 * made: where a whole condition is forced both ways, its comparison is not turned around as well.
 */
import ts from 'typescript';

export interface Mutant {
  /** From the root of the repository. */
  file: string;
  /** Where the change begins, from 1. */
  line: number;
  /** That line without its indentation. */
  text: string;
  /** `before → after`, spaces folded; with a number behind where it is not the first of its line. */
  mutation: string;
  /** The file's text with the change. */
  code: string;
}

/** Longest part of a change that is shown. */
const MAX_SHOWN = 70;

/** Comparisons: the same with or without its bound, and the opposite. */
const COMPARISONS: Readonly<Record<string, { bound?: string; opposite: string }>> = {
  '<': { bound: '<=', opposite: '>=' },
  '<=': { bound: '<', opposite: '>' },
  '>': { bound: '>=', opposite: '<=' },
  '>=': { bound: '>', opposite: '<' },
  '===': { opposite: '!==' },
  '!==': { opposite: '===' },
};

const OPERATORS: Readonly<Record<string, string>> = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '**': '*',
  '&': '|',
  '&&': '||',
  '||': '&&',
  '+=': '-=',
  '-=': '+=',
  '*=': '/=',
  '/=': '*=',
};

/** Operators of which either side may stand alone; of the others only the left one. */
const EITHER_SIDE = new Set(['+', '*', '&&', '||', '??']);
const LEFT_SIDE = new Set(['-', '/', '%', '**']);

/** Methods and functions that are easily mistaken for one another. */
const SWAPPED: Readonly<Record<string, string>> = {
  min: 'max',
  max: 'min',
  floor: 'ceil',
  ceil: 'floor',
  some: 'every',
  every: 'some',
  push: 'unshift',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
};

/** Methods whose call may be left out: what they are called on, or what they are given, stands in. */
const DROPPED = new Set(['filter', 'sort', 'slice', 'trim', 'toLowerCase', 'normalize', 'reverse']);
const DROPPED_FROM_MATH = new Set(['abs', 'sqrt', 'exp', 'log', 'log2']);

/** All mutants of a file, in the order of their places. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS);
  const mutants: Mutant[] = [];
  const lines = source.split('\n');
  const alike = new Map<string, number>();
  const change = (node: ts.Node, after: string): void => {
    const [start, end] = [node.getStart(tree), node.getEnd()];
    const { line } = tree.getLineAndCharacterOfPosition(start);
    const text = (lines[line] as string).trim();
    const mutation = `${shown(source.slice(start, end))} → ${shown(after)}`;
    const key = `${text}\n${mutation}`;
    const count = (alike.get(key) ?? 0) + 1;
    alike.set(key, count);
    mutants.push({
      file,
      line: line + 1,
      text,
      mutation: count === 1 ? mutation : `${mutation} (${count})`,
      code:
        source.slice(0, start) +
        (ts.isBinaryExpression(node) ? `(${after})` : after) +
        source.slice(end),
    });
  };
  const visit = (node: ts.Node): void => {
    if (isLeftAlone(node)) return;
    for (const after of replacements(node, tree)) change(node, after);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(tree, visit);
  return mutants;
}

function isLeftAlone(node: ts.Node): boolean {
  return (
    ts.isTypeNode(node) ||
    ts.isImportDeclaration(node) ||
    ts.isExportDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node)
  );
}

/** What may stand in a node's place. */
function replacements(node: ts.Node, tree: ts.SourceFile): string[] {
  const text = (part: ts.Node): string => part.getText(tree);
  const whole = text(node);
  const found: string[] = [];
  if (isCondition(node)) {
    if (node.kind !== ts.SyntaxKind.TrueKeyword) found.push(isLoop(node.parent) ? '' : 'true');
    if (node.kind !== ts.SyntaxKind.FalseKeyword) found.push('false');
  }
  if (ts.isBinaryExpression(node)) found.push(...ofBinary(node, text));
  else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node))
    found.push(...ofUnary(node, text));
  else if (ts.isNumericLiteral(node)) found.push(...ofNumber(Number(node.text)));
  else if (node.kind === ts.SyntaxKind.TrueKeyword) found.push('false');
  else if (node.kind === ts.SyntaxKind.FalseKeyword) found.push('true');
  else if (ts.isCallExpression(node)) found.push(...ofCall(node, text));
  else if (ts.isArrayLiteralExpression(node) && node.elements.length > 0 && !isTarget(node))
    found.push('[]');
  else if (ts.isStatement(node) && isRemovable(node)) found.push(';');
  else if (isOptionalAccess(node)) found.push(`${text(node.expression)}${afterDot(node, text)}`);
  return [...new Set(found)].filter((after) => after !== '' && after !== whole);
}

function ofBinary(node: ts.BinaryExpression, text: (part: ts.Node) => string): string[] {
  const [left, operator, right] = [node.left, node.operatorToken, node.right].map(text) as [
    string,
    string,
    string,
  ];
  const found: string[] = [];
  const comparison = COMPARISONS[operator];
  if (comparison?.bound !== undefined) found.push(`${left} ${comparison.bound} ${right}`);
  if (comparison !== undefined && !isCondition(node))
    found.push(`${left} ${comparison.opposite} ${right}`);
  if (isText(node.left) || isText(node.right)) return found;
  const other = OPERATORS[operator];
  if (other !== undefined) found.push(`${left} ${other} ${right}`);
  const isChain = ts.isBinaryExpression(node.left) && text(node.left.operatorToken) === operator;
  // In a chain such as a + b + c, leaving out a is done further in.
  if (EITHER_SIDE.has(operator) || LEFT_SIDE.has(operator)) found.push(left);
  if (EITHER_SIDE.has(operator) && !isChain) found.push(right);
  return found;
}

function ofUnary(
  node: ts.PrefixUnaryExpression | ts.PostfixUnaryExpression,
  text: (part: ts.Node) => string,
): string[] {
  const operand = text(node.operand);
  const isPrefix = ts.isPrefixUnaryExpression(node);
  switch (node.operator) {
    case ts.SyntaxKind.PlusPlusToken:
    case ts.SyntaxKind.MinusMinusToken: {
      const [sign, other] =
        node.operator === ts.SyntaxKind.PlusPlusToken ? ['++', '--'] : ['--', '++'];
      const isUsed = !ts.isExpressionStatement(node.parent) && !ts.isForStatement(node.parent);
      const turned = isPrefix ? `${operand}${sign}` : `${sign}${operand}`;
      return [isPrefix ? other + operand : operand + other, ...(isUsed ? [turned] : [])];
    }
    case ts.SyntaxKind.ExclamationToken:
      return isCondition(node) ? [] : [operand];
    case ts.SyntaxKind.MinusToken:
      return [operand];
    default:
      return [];
  }
}

function ofNumber(value: number): string[] {
  if (!Number.isInteger(value)) return [String(value * 1.1)];
  return value >= 1 ? [String(value + 1), String(value - 1)] : [String(value + 1)];
}

function ofCall(node: ts.CallExpression, text: (part: ts.Node) => string): string[] {
  const callee = node.expression;
  if (!ts.isPropertyAccessExpression(callee)) return [];
  const [object, name] = [text(callee.expression), callee.name.text];
  const found: string[] = [];
  const other = SWAPPED[name];
  if (other !== undefined) found.push(`${object}.${other}(${node.arguments.map(text).join(', ')})`);
  if (DROPPED.has(name) && !ts.isExpressionStatement(node.parent)) found.push(object);
  const [given] = node.arguments;
  if (object === 'Math' && DROPPED_FROM_MATH.has(name) && given !== undefined)
    found.push(`(${text(given)})`);
  return found;
}

/** Whether a node decides an `if`, a loop or a `? :`. */
function isCondition(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isIfStatement(parent) || ts.isWhileStatement(parent) || ts.isDoStatement(parent))
    return parent.expression === node;
  return (
    (ts.isConditionalExpression(parent) || ts.isForStatement(parent)) && parent.condition === node
  );
}

const isLoop = (node: ts.Node): boolean =>
  ts.isForStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node);

/** Whether an array literal is a pattern that is assigned to. */
const isTarget = (node: ts.ArrayLiteralExpression): boolean =>
  ts.isBinaryExpression(node.parent) && node.parent.left === node;

const isText = (node: ts.Node): boolean =>
  ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);

/** Statements whose absence still leaves a program. */
function isRemovable(node: ts.Statement): boolean {
  if (ts.isThrowStatement(node) || ts.isContinueStatement(node) || ts.isBreakStatement(node))
    return true;
  if (ts.isReturnStatement(node)) return node.expression === undefined;
  if (!ts.isExpressionStatement(node)) return false;
  const { expression } = node;
  return !(
    ts.isCallExpression(expression) && expression.expression.kind === ts.SyntaxKind.SuperKeyword
  );
}

type Access = ts.PropertyAccessExpression | ts.ElementAccessExpression;

const isOptionalAccess = (node: ts.Node): node is Access =>
  (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) &&
  node.questionDotToken !== undefined;

const afterDot = (node: Access, text: (part: ts.Node) => string): string =>
  ts.isPropertyAccessExpression(node)
    ? `.${text(node.name)}`
    : `[${text(node.argumentExpression)}]`;

function shown(code: string): string {
  const folded = code.replace(/\s+/g, ' ');
  return folded.length <= MAX_SHOWN ? folded : `${folded.slice(0, MAX_SHOWN - 1)}…`;
}
