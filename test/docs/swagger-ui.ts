import type { Locator, Page, Request } from 'playwright-core'
import { type Document, member, operationsOf, type PlacedOperation } from '#test/contract/document.ts'
import { eventually } from '#test/support/eventually.ts'

/** Values that a person has to enter: parameters, and secret tokens. */
export interface Entry {
  params?: Record<string, string>
  headers?: Record<string, string>
  body?: object
  /** Whether it has bytes, where it can do without. */
  bytes?: boolean
}

/** Operations after which the page is loaded again: it keeps all that it has drawn, and gets slower with each. */
const OPERATIONS_A_PAGE = 10

const HEADER = '[data-param-in="header"]'

/** Clicks without moving the page to it first, which takes a slow machine seconds each time. */
export async function press(locator: Locator): Promise<void> {
  await locator.dispatchEvent('click')
}

/**
 * Keeps the page's own object, from which can be told what it has resolved. The page leaves out the colours of examples,
 * which it draws for every error that an operation can have, and moves nothing, for which it would draw sixty times a
 * second.
 */
export const KEEP_UI = `
  addEventListener('DOMContentLoaded', () => {
    const still = document.createElement('style')
    still.textContent = '* { animation: none !important; transition: none !important }'
    document.head.append(still)
  })
  let bundle
  const plain = { syntaxHighlight: { activated: false } }
  Object.defineProperty(window, 'SwaggerUIBundle', {
    get: () => bundle,
    set: (original) => {
      bundle = Object.assign((options) => (window.ui = original({ ...options, ...plain })), original)
    },
  })`

type Scheme = 'accessToken' | 'apiKey'

/** Swagger UI as a person uses it. */
export class SwaggerUi {
  readonly executed: string[] = []
  readonly #page: Page
  readonly #operations: Map<string, PlacedOperation>
  #openedTag = ''
  #authorization = ''
  #scheme: Scheme = 'accessToken'
  #executedHere = 0

  constructor(page: Page, document: Document) {
    this.#page = page
    this.#operations = new Map(operationsOf(document).map((placed) => [placed.operation.operationId, placed]))
  }

  /** The header of those whom the page acts for. */
  get authorization(): string {
    return this.#authorization
  }

  async authorize(authorization: string, scheme: Scheme = 'accessToken'): Promise<void> {
    this.#authorization = authorization
    this.#scheme = scheme
    const dialog = this.#page.locator('.dialog-ux')
    await press(this.#page.locator('.auth-wrapper > .authorize'))
    const container = dialog.locator('.auth-container').nth(scheme === 'accessToken' ? 0 : 1)
    const logout = container.getByRole('button', { name: 'Remove authorization' })
    if (await logout.isVisible()) await press(logout)
    await container.locator('input').fill(authorization.replace('Bearer ', ''))
    await press(container.getByRole('button', { name: 'Apply credentials' }))
    await press(dialog.locator('.btn-done').first())
  }

  /** Executes an operation with what the page has filled in, and returns the answer. */
  async execute(operationId: string, entry: Entry = {}) {
    const placed = this.#operations.get(operationId)
    if (!placed) throw new Error(`there is no ${operationId}`)
    const tag = placed.operation.tags?.[0] ?? ''
    if (this.#executedHere++ === OPERATIONS_A_PAGE) await this.#reload()
    await this.#openTag(tag)
    const block = this.#page.locator(`#operations-${tag}-${operationId}`)
    const control = block.locator('.opblock-summary-control')
    await press(control)
    await this.#resolved(placed)
    const response = await this.#send(placed, block, entry)
    await block.locator('.live-responses-table').waitFor({ state: 'attached' })
    await press(control)
    this.executed.push(operationId)
    const text = response.status() === 204 ? 'null' : await response.text()
    return { status: response.status(), text, url: response.url() }
  }

  async #reload(): Promise<void> {
    await this.#page.reload()
    await this.#page.locator('.opblock-tag').first().waitFor()
    this.#openedTag = ''
    this.#executedHere = 1
    if (this.#authorization !== '') await this.authorize(this.#authorization, this.#scheme)
  }

  /** Opens the operations of a tag, and closes those of others: the page draws all that are open again and again. */
  async #openTag(tag: string): Promise<void> {
    if (tag === this.#openedTag) return
    const heads = this.#page.locator('.opblock-tag')
    for (const head of await heads.all()) {
      const [name, isOpen] = [await head.getAttribute('data-tag'), await head.getAttribute('data-is-open')]
      if ((isOpen === 'true') !== (name === tag)) await press(head)
    }
    this.#openedTag = tag
  }

  /**
   * Waits until the page has resolved an operation's references. It shows the button before, and one who presses it
   * then waits for ever, because the page looks the operation up by another id.
   */
  async #resolved({ path, method }: PlacedOperation): Promise<void> {
    const place = JSON.stringify(['paths', path, method])
    // Told by the page: a question every few milliseconds keeps the processor from what it waits for.
    await this.#page.evaluate(`new Promise((resolve) => {
      const isResolved = () => Boolean(ui.specSelectors.specResolvedSubtree(${place}))
      if (isResolved()) return resolve()
      const leave = ui.getStore().subscribe(() => {
        if (!isResolved()) return
        leave()
        resolve()
      })
    })`)
  }

  /**
   * Presses the button until the operation's request is sent, because the page ignores it until it has taken what was
   * entered. Seldom: a second request may have another answer, or disturb what comes next.
   */
  async #send({ path, method, operation }: PlacedOperation, block: Locator, entry: Entry) {
    const pattern = new RegExp(`${path.replaceAll(/\{\w+\}/g, '[^/]+')}(\\?|$)`)
    const sent: Request[] = []
    const note = (request: Request) => {
      if (request.method() === method.toUpperCase() && pattern.test(request.url())) sent.push(request)
    }
    this.#page.on('request', note)
    try {
      for (let tries = 0; tries < 5; tries++) {
        await this.#fill(block, entry, operation)
        await press(block.locator('.btn.execute'))
        await eventually(async () => sent.length > 0, 30).catch(() => undefined)
        const response = await sent[0]?.response()
        if (response) return response
      }
    } finally {
      this.#page.off('request', note)
    }
    throw new Error('the page sends no request')
  }

  /** Enters values, again if need be: the page replaces them while it still fills in the form itself. */
  async #fill(
    block: Locator,
    { params = {}, headers = {}, body, bytes = false }: Entry,
    { requestBody }: PlacedOperation['operation'],
  ): Promise<void> {
    const inputs = [
      ...Object.entries(params).map(([name, value]) => [`[data-param-name="${name}"]:not(${HEADER})`, value]),
      ...Object.entries(headers).map(([name, value]) => [`[data-param-name="${name}"]${HEADER}`, value]),
    ]
    for (const [row, value = ''] of inputs) {
      const choice = block.locator(`tr${row} select`)
      if ((await choice.count()) > 0) {
        await choice.selectOption(value)
        continue
      }
      const input = block.locator(`tr${row} input`)
      await eventually(async () => {
        // The page takes what was typed when the field is left, but only if it differs from what it shows.
        for (const typed of ['', value]) {
          await input.fill(typed)
          await input.blur()
        }
        return (await input.inputValue()) === value
      })
    }
    if (requestBody === undefined) return
    const takes = (type: string) => member(requestBody, 'content', type) !== undefined
    if (takes('application/offset+octet-stream') && !bytes) return
    if (bytes || takes('application/octet-stream')) {
      const file = { name: 'image.gif', mimeType: 'image/gif', buffer: Buffer.from('GIF89a') }
      await block.locator('input[type="file"]').setInputFiles(file)
      return
    }
    const input = block.locator('textarea.body-param__text')
    const text = body && JSON.stringify(body)
    await eventually(async () => {
      if (text) for (const typed of ['', text]) await input.fill(typed)
      const value = await input.inputValue()
      return text === undefined ? value !== '' : value === text
    })
  }
}
