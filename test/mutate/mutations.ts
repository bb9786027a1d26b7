import ts from 'typescript'
import { sqlMutations } from './sql-mutations.ts'

/** One small change of a source file. */
export interface Mutation {
  /** First character that is replaced, and the first after that. */
  readonly start: number
  readonly end: number
  readonly replacement: string
  /** Counted from 1. */
  readonly line: number
  /** Description, for people. */
  readonly description: string
}

type Change = Omit<Mutation, 'line' | 'description'> & { readonly kind: string }

const OPERATORS: Partial<Record<ts.SyntaxKind, string>> = {
  [ts.SyntaxKind.LessThanToken]: '<=',
  [ts.SyntaxKind.LessThanEqualsToken]: '<',
  [ts.SyntaxKind.GreaterThanToken]: '>=',
  [ts.SyntaxKind.GreaterThanEqualsToken]: '>',
  [ts.SyntaxKind.EqualsEqualsEqualsToken]: '!==',
  [ts.SyntaxKind.ExclamationEqualsEqualsToken]: '===',
  [ts.SyntaxKind.AmpersandAmpersandToken]: '||',
  [ts.SyntaxKind.BarBarToken]: '&&',
  [ts.SyntaxKind.PlusToken]: '-',
  [ts.SyntaxKind.MinusToken]: '+',
  [ts.SyntaxKind.AsteriskToken]: '/',
  [ts.SyntaxKind.SlashToken]: '*',
  [ts.SyntaxKind.PlusEqualsToken]: '-=',
  [ts.SyntaxKind.MinusEqualsToken]: '+=',
}

/** Properties that are for people to read. */
const PROSE = new Set(['summary', 'description', 'help'])

const SQL = /\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|redis\.call|\$\d)\b/

/** Returns all mutations of a source file, in the order of their places. */
export function mutationsOf(path: string, text: string): Mutation[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const changes: Change[] = []
  const visit = (node: ts.Node): void => {
    // Types are stripped, and imports are not behaviour.
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isImportDeclaration(node)) return
    if (ts.isTypeAliasDeclaration(node) || ts.isModuleDeclaration(node)) return
    changes.push(...changesOf(node, text))
    ts.forEachChild(node, visit)
  }
  visit(source)
  return changes
    .filter(({ start, end, replacement }) => text.slice(start, end) !== replacement)
    .sort((a, b) => a.start - b.start)
    .map(({ kind, ...change }) => {
      const { line } = source.getLineAndCharacterOfPosition(change.start)
      return { ...change, line: line + 1, description: describe(text, kind, change) }
    })
}

/** The file's text with mutations in it, which must not touch each other. */
export function apply(text: string, ...mutations: readonly Mutation[]): string {
  return mutations
    .toSorted((a, b) => b.start - a.start)
    .reduce(
      (mutated, { start, end, replacement }) => mutated.slice(0, start) + replacement + mutated.slice(end),
      text,
    )
}

type Replace = (target: ts.Node, replacement: string, kind: string) => Change

function changesOf(node: ts.Node, text: string): Change[] {
  const replace: Replace = (target, replacement, kind) => ({
    start: target.getStart(),
    end: target.end,
    replacement,
    kind,
  })
  if (ts.isStatement(node)) return statementChanges(node, replace)
  if (ts.isBinaryExpression(node)) return operatorChanges(node, replace)
  if (ts.isConditionalExpression(node)) {
    return [replace(node.condition, `!(${node.condition.getText()})`, 'negate')]
  }
  if (ts.isAwaitExpression(node))
    return isAdopted(node) ? [] : [replace(node, node.expression.getText(), 'do not wait')]
  if (ts.isCallExpression(node)) return transactionChanges(node, replace)
  if (ts.isObjectLiteralElementLike(node)) return isProse(node) ? [] : [leftOut(node, text)]
  if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) return sqlChanges(node, text)
  return constantChanges(node, replace)
}

function statementChanges(node: ts.Statement, replace: Replace): Change[] {
  if (ts.isIfStatement(node)) return [replace(node.expression, `!(${node.expression.getText()})`, 'negate')]
  if (ts.isThrowStatement(node)) return [replace(node, '{}', 'drop')]
  // Nothing is as false as `false`, which is flipped.
  if (ts.isReturnStatement(node) && node.expression && node.expression.kind !== ts.SyntaxKind.FalseKeyword)
    return [replace(node, 'return undefined', 'return nothing')]
  if (ts.isExpressionStatement(node)) return [replace(node, ';', 'drop')]
  return []
}

function constantChanges(node: ts.Node, replace: Replace): Change[] {
  if (ts.isNumericLiteral(node) && !isDuration(node) && !isOrder(node))
    return [replace(node, String(Number(node.text.replaceAll('_', '')) + 1), 'one more')]
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [replace(node, 'false', 'flip')]
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [replace(node, 'true', 'flip')]
  return []
}

/** Whether a number is the milliseconds of a constant, of which one more is seen by nobody. */
function isDuration({ parent }: ts.NumericLiteral): boolean {
  return ts.isVariableDeclaration(parent) && parent.name.getText().endsWith('_MS')
}

/** Whether a number says which of two comes first, as in `a < b ? -1 : 1`: only its sign counts. */
function isOrder(node: ts.NumericLiteral): boolean {
  const value = ts.isPrefixUnaryExpression(node.parent) ? node.parent : node
  const { parent } = value
  if (!ts.isConditionalExpression(parent) || value === parent.condition) return false
  return (
    [parent.whenTrue, parent.whenFalse]
      .map((branch) => branch.getText())
      .sort()
      .join() === '-1,1'
  )
}

/** Whether a promise becomes the function's own result with or without `await`, because nothing comes after it. */
function isAdopted({ parent }: ts.AwaitExpression): boolean {
  if (ts.isArrowFunction(parent)) return true
  const around = ts.isReturnStatement(parent) ? ts.findAncestor(parent, isTryOrFunction) : undefined
  return around !== undefined && !ts.isTryStatement(around) && !/\busing\b/.test(around.getText())
}

function isTryOrFunction(node: ts.Node): boolean {
  return ts.isTryStatement(node) || ts.isFunctionLike(node)
}

/** A property that goes with its comma: what is left is to be valid. */
function leftOut(node: ts.ObjectLiteralElementLike, text: string): Change {
  const [comma = ''] = /^\s*,/.exec(text.slice(node.end)) ?? []
  return { start: node.getStart(), end: node.end + comma.length, replacement: '', kind: 'leave out' }
}

function isProse({ name }: ts.ObjectLiteralElementLike): boolean {
  return name !== undefined && PROSE.has(name.getText())
}

function operatorChanges({ operatorToken, left, right }: ts.BinaryExpression, replace: Replace): Change[] {
  const other = OPERATORS[operatorToken.kind]
  if (other !== undefined) return [replace(operatorToken, other, 'operator')]
  if (operatorToken.kind !== ts.SyntaxKind.QuestionQuestionToken) return []
  return [{ ...replace(left, left.getText(), 'no default'), end: right.end }]
}

/** The work of a transaction without one. */
function transactionChanges(
  { expression, arguments: [context, work] }: ts.CallExpression,
  replace: Replace,
): Change[] {
  if (expression.getText() !== 'transaction' || context === undefined || work === undefined) return []
  const call = expression.parent
  return [replace(call, `(${work.getText()})(${context.getText()})`, 'no transaction')]
}

function sqlChanges(node: ts.Node, text: string): Change[] {
  const [start, end] = [node.getStart(), node.end]
  const sql = text.slice(start, end)
  if (!SQL.test(sql)) return []
  return sqlMutations(sql).map((change) => ({
    start: start + change.start,
    end: start + change.end,
    replacement: change.replacement,
    kind: 'SQL',
  }))
}

function describe(text: string, kind: string, { start, end, replacement }: Omit<Change, 'kind'>): string {
  const short = (part: string) => {
    const line = part.replaceAll(/\s+/g, ' ').trim()
    return line.length > 60 ? `${line.slice(0, 57)}...` : line
  }
  const before = short(text.slice(start, end).replace(/\s*,$/, ''))
  return replacement.trim() === '' || replacement === ';' || replacement === '{}'
    ? `${kind}: ${before}`
    : `${kind}: ${before} -> ${short(replacement)}`
}
