import type { SyntaxNode } from '@lezer/common'
import { parser } from '@prometheus-io/lezer-promql'

/** A selector's condition on one label. */
export interface Matcher {
  label: string
  operator: string
  value: string
}

/** The labels that a metric has; undefined for a metric that nobody knows. */
export type LabelsOf = (metric: string) => ReadonlySet<string> | undefined

/** Problems and result of an expression. */
export interface Analysis {
  problems: string[]
  /** The labels of the result. */
  labels: ReadonlySet<string>
  selectors: { metric: string; matchers: Matcher[] }[]
}

const NONE: ReadonlySet<string> = new Set()
/** Metrics that have the labels of their subject. */
const TRANSPARENT = ['ParenExpr', 'MatrixSelector', 'SubqueryExpr', 'OffsetExpr', 'UnaryExpr']
/** Aggregations that choose among the series, as they are. */
const CHOOSING = ['Topk', 'Bottomk', 'LimitK', 'LimitRatio']

/**
 * Follows the labels through an expression of PromQL. Finds unknown metrics, labels that a metric or a part
 * does not have, and operators between vectors whose labels never match.
 */
export function analyse(expression: string, labelsOf: LabelsOf): Analysis {
  return new Analyser(expression, labelsOf).run()
}

class Analyser {
  readonly #text: string
  readonly #labelsOf: LabelsOf
  readonly #problems: string[] = []
  readonly #selectors: Analysis['selectors'] = []

  constructor(expression: string, labelsOf: LabelsOf) {
    this.#text = expression
    this.#labelsOf = labelsOf
  }

  run(): Analysis {
    const tree = parser.parse(this.#text)
    tree.iterate({
      enter: (node) => {
        if (node.type.isError) this.#problems.push(`syntax at ${node.from}: ${this.#text}`)
      },
    })
    const [expression] = expressionsIn(tree.topNode)
    const labels = expression && this.#problems.length === 0 ? this.#visit(expression) : NONE
    return { problems: this.#problems, labels, selectors: this.#selectors }
  }

  #visit(node: SyntaxNode): ReadonlySet<string> {
    if (TRANSPARENT.includes(node.name)) return this.#first(node)
    switch (node.name) {
      case 'VectorSelector':
        return this.#selector(node)
      case 'FunctionCall':
        return this.#call(node)
      case 'AggregateExpr':
        return this.#aggregation(node)
      case 'BinaryExpr':
        return this.#operator(node)
      case 'NumberDurationLiteral':
      case 'StringLiteral':
        return NONE
      default:
        this.#problems.push(`${node.name} is not known to this test`)
        return NONE
    }
  }

  #first(node: SyntaxNode): ReadonlySet<string> {
    const [operand] = expressionsIn(node)
    return operand ? this.#visit(operand) : NONE
  }

  #selector(node: SyntaxNode): ReadonlySet<string> {
    const metric = this.#textOf(node.getChild('Identifier'))
    const matchers = (node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []).map(
      (matcher): Matcher => ({
        label: this.#textOf(matcher.getChild('LabelName')),
        operator: this.#textOf(matcher.getChild('MatchOp')),
        value: JSON.parse(this.#textOf(matcher.getChild('StringLiteral'))),
      }),
    )
    this.#selectors.push({ metric, matchers })
    const labels = this.#labelsOf(metric)
    if (labels === undefined) this.#problems.push(`there is no metric ${metric}`)
    else this.#demand(new Set(matchers.map(({ label }) => label)), labels, metric)
    return labels ?? NONE
  }

  #call(node: SyntaxNode): ReadonlySet<string> {
    const name = this.#textOf(node.getChild('FunctionIdentifier'))
    const body = node.getChild('FunctionCallBody')
    const operands = body ? expressionsIn(body).map((operand) => this.#visit(operand)) : []
    if (name === 'absent') {
      const matchers = this.#selectors.at(-1)?.matchers ?? []
      const isSelector = body !== null && expressionsIn(body)[0]?.name === 'VectorSelector'
      return isSelector
        ? new Set(matchers.flatMap(({ label, operator }) => (operator === '=' ? label : [])))
        : NONE
    }
    const labels = operands.reduce((all, some) => all.union(some), new Set<string>())
    if (name !== 'histogram_quantile') return labels
    this.#demand(new Set(['le']), labels, name)
    return labels.difference(new Set(['le']))
  }

  #aggregation(node: SyntaxNode): ReadonlySet<string> {
    const body = node.getChild('FunctionCallBody')
    const operand = body ? expressionsIn(body).at(-1) : undefined
    const labels = operand ? this.#visit(operand) : NONE
    const modifier = node.getChild('AggregateModifier')
    if (modifier === null) {
      return CHOOSING.some((name) => node.getChild('AggregateOp')?.getChild(name)) ? labels : NONE
    }
    const named = this.#namesIn(modifier.getChild('GroupingLabels'))
    this.#demand(named, labels, this.#textOf(node.getChild('AggregateOp')))
    return modifier.getChild('By') ? named : labels.difference(named)
  }

  #operator(node: SyntaxNode): ReadonlySet<string> {
    const [left, right] = expressionsIn(node)
    if (left === undefined || right === undefined) return NONE
    const [ours, theirs] = [this.#visit(left), this.#visit(right)]
    if (isScalar(left)) return theirs
    if (isScalar(right)) return ours
    if (node.getChild('Or')) return ours.union(theirs)
    const clause = node.getChild('MatchingModifierClause')
    const named = this.#namesIn(clause?.getChild('GroupingLabels') ?? null)
    if (clause?.getChild('On')) {
      this.#demand(named, ours, 'the left side')
      this.#demand(named, theirs, 'the right side')
    } else if (ours.symmetricDifference(theirs).difference(named).size > 0) {
      this.#problems.push(`{${[...ours]}} and {${[...theirs]}} never match: ${this.#textOf(node)}`)
    }
    return ours
  }

  #demand(wanted: ReadonlySet<string>, there: ReadonlySet<string>, what: string): void {
    for (const label of wanted.difference(there)) this.#problems.push(`${what} has no label ${label}`)
  }

  #namesIn(grouping: SyntaxNode | null): Set<string> {
    return new Set(grouping?.getChildren('LabelName').map((name) => this.#textOf(name)))
  }

  #textOf(node: SyntaxNode | null): string {
    return node ? this.#text.slice(node.from, node.to) : ''
  }
}

/** The operands among a node's children. */
function expressionsIn(node: SyntaxNode): SyntaxNode[] {
  return node.getChildren('Expr')
}

function isScalar(node: SyntaxNode): boolean {
  if (node.name === 'NumberDurationLiteral') return true
  if (node.name === 'FunctionCall') return Boolean(node.getChild('FunctionIdentifier')?.getChild('Time'))
  return ['BinaryExpr', 'ParenExpr'].includes(node.name) && expressionsIn(node).every(isScalar)
}
