import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { confirmLoss, RefusedCommand } from '#commands/confirm.ts'

const LOSS = 'Everything will be lost.'

/** Asks with a terminal at which somebody types. */
async function ask(t: Test, typed: string): Promise<string> {
  const input = Object.assign(new PassThrough(), { isTTY: true })
  const output = new PassThrough()
  const shown: string[] = []
  output.on('data', (chunk) => shown.push(String(chunk)))
  input.write(`${typed}\n`)
  t.teardown(() => input.destroy())
  await confirmLoss(LOSS, false, { input, output })
  return shown.join('')
}

t.test('goes on when the answer is yes', async (t) => {
  t.match(await ask(t, 'yes'), /Everything will be lost\.\nType yes to go on: /)
  await ask(t, ' YES ')
})

t.test('does nothing at any other answer', async (t) => {
  for (const typed of ['', 'y', 'no', 'yes please']) await t.rejects(ask(t, typed), RefusedCommand, typed)
})

t.test('without a terminal it takes --yes, and nothing else', async (t) => {
  const terminal = { input: new PassThrough(), output: new PassThrough() }
  await t.rejects(confirmLoss(LOSS, false, terminal), { message: /^Everything will be lost\.\n.*Add --yes/ })
  await confirmLoss(LOSS, true, terminal)
})
