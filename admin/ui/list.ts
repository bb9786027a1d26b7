import { type ComponentChildren, h } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { call, type Page } from '../app/api.ts'
import type { Query } from '../app/route.ts'
import { useLoad } from './load.ts'
import { useKeptFocus } from './pieces.ts'
import { Empty, explain, Failure, Loading } from './states.ts'

export interface Column<T> {
  readonly title: string
  show(row: T): ComponentChildren
  /** Numbers stand below each other. */
  readonly isNumber?: boolean
}

interface TableProps<T> {
  readonly caption: string
  readonly columns: readonly Column<T>[]
  readonly rows: readonly T[]
  keyOf(row: T): string
}

/** A table; on a narrow screen each row is a card, whose cells name their columns. */
export function Table<T>({ caption, columns, rows, keyOf }: TableProps<T>): ComponentChildren {
  const classOf = ({ isNumber }: Column<T>) => (isNumber ? 'number' : undefined)
  // Roles in words, because the styles of a narrow screen would take them away.
  return h(
    'table',
    { role: 'table' },
    h('caption', { class: 'hidden' }, caption),
    h(
      'thead',
      { role: 'rowgroup' },
      h(
        'tr',
        { role: 'row' },
        columns.map((column) =>
          h(
            'th',
            { key: column.title, scope: 'col', role: 'columnheader', class: classOf(column) },
            column.title,
          ),
        ),
      ),
    ),
    h(
      'tbody',
      { role: 'rowgroup' },
      rows.map((row) =>
        h(
          'tr',
          { key: keyOf(row), role: 'row' },
          columns.map((column) =>
            h(
              'td',
              { key: column.title, role: 'cell', 'data-title': column.title, class: classOf(column) },
              h('div', null, column.show(row)),
            ),
          ),
        ),
      ),
    ),
  )
}

interface ListProps<T> extends Omit<TableProps<T>, 'rows'> {
  /** Path of the list's operation. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  /** The text in place of an empty list. */
  readonly empty: ComponentChildren
}

/** A list of the API, page after page. */
export function List<T>({ path, query = {}, empty, ...table }: ListProps<T>): ComponentChildren {
  const key = `${path} ${JSON.stringify(query)}`
  const first = useLoad(key, (signal) => call<Page<T>>(path, { query: { limit: '50', ...query }, signal }))
  const [more, setMore] = useState<readonly Page<T>[]>([])
  const [problem, setProblem] = useState('')
  const [isLoading, setLoading] = useState(false)
  const frame = useRef<HTMLDivElement>(null)
  useKeptFocus(frame)
  const start = first.value
  // Pages that followed another beginning are not its pages.
  useEffect(() => {
    setMore([])
    setProblem('')
  }, [start])

  const failure = first.error !== undefined && h(Failure, { error: first.error, retry: first.reload })
  if (start === undefined) return failure || h(Loading, null)
  const rows = [start, ...more].flatMap(({ data }) => data)
  const cursor = (more.at(-1) ?? start).next_cursor

  async function showMore() {
    if (isLoading) return
    setLoading(true)
    setProblem('')
    try {
      const page = await call<Page<T>>(path, {
        query: { limit: '50', ...query, cursor: cursor ?? undefined },
      })
      setMore((pages) => [...pages, page])
    } catch (error) {
      setProblem(explain(error))
    }
    setLoading(false)
  }

  return h(
    'div',
    { class: 'list', ref: frame, tabIndex: -1, 'aria-busy': first.isLoading },
    failure,
    rows.length > 0 && h(Table<T>, { ...table, rows }),
    rows.length === 0 && cursor === null && h(Empty, null, empty),
    (rows.length > 0 || cursor !== null) &&
      h(
        'div',
        { class: 'end' },
        h('p', { role: 'status' }, summary(rows.length, cursor)),
        problem && h('p', { class: 'problem', role: 'alert' }, problem),
        cursor !== null &&
          h(
            'button',
            { type: 'button', onClick: showMore, 'aria-disabled': isLoading },
            isLoading ? 'Loading…' : rows.length === 0 ? 'Search further' : 'Show more',
          ),
      ),
  )
}

function summary(count: number, cursor: string | null): string {
  if (count === 0) return cursor === null ? '' : 'Nothing was found so far; there is more to look through.'
  return `${count} ${count === 1 ? 'row' : 'rows'}${cursor === null ? '' : ', and there may be more'}.`
}

/** A filter that only a part of the API's list has. */
export function pick(query: Query, ...names: string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, query[name]]))
}
