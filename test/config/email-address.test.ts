import t from 'tap'
import {
  addressFault,
  canonicalEmail,
  canonicalMailbox,
  isKnownForm,
  isSender,
} from '#config/email-address.ts'

t.test('the canonical form of an address', async (t) => {
  const forms: [typed: string, canonical: string][] = [
    ['Ada@Example.com', 'Ada@Example.com'],
    ['ada@b\u00fccher.example', 'ada@xn--bcher-kva.example'],
    ['ada@bu\u0308cher.example', 'ada@xn--bcher-kva.example'],
    ['ada@B\u00dcCHER.EXAMPLE', 'ada@xn--bcher-kva.example'],
    ['ada@b\u00fccher\u3002example', 'ada@xn--bcher-kva.example'],
    ['rene\u0301e@example.com', 'ren\u00e9e@example.com'],
    ['no address', 'no address'],
    // A URL's host ends at these.
    ['ada@b\u00fccher.example/x', 'ada@b\u00fccher.example/x'],
    ['ada@b\u00fccher.example:25', 'ada@b\u00fccher.example:25'],
    ['ada@b\u00fccher.example?x', 'ada@b\u00fccher.example?x'],
    ['ada@b\u00fccher%2eexample', 'ada@b\u00fccher%2eexample'],
    ['ada@\u2100.example', 'ada@\u2100.example'],
  ]
  for (const [typed, canonical] of forms) {
    t.equal(canonicalEmail(typed), canonical)
    t.equal(canonicalEmail(canonical), canonical, 'it stays as it is')
  }
  t.equal(canonicalMailbox('Ada <ada@b\u00fccher.example>'), 'Ada <ada@xn--bcher-kva.example>')
  t.equal(canonicalMailbox('ada@b\u00fccher.example'), 'ada@xn--bcher-kva.example')
})

t.test('what is wrong with an address', async (t) => {
  const faults: [address: string, fault: ReturnType<typeof addressFault>, known: boolean][] = [
    ['ada@example.com', undefined, true],
    ['ada@xn--bcher-kva.example', undefined, true],
    ['ada@b\u00fccher.example', 'form', false],
    ['ren\u00e9e@example.com', 'undeliverable', true],
    ['"ada lovelace"@example.com', 'undeliverable', false],
    ['"ada\\"@example.com', 'form', false],
    ['ada@localhost', 'form', false],
    ['@example.com', 'form', false],
    ['ada', 'form', false],
    [`${'a'.repeat(65)}@example.com`, 'form', false],
    [`ada@${'a.'.repeat(125)}example`, 'form', false],
  ]
  for (const [address, fault, known] of faults) {
    t.equal(addressFault(address), fault, address)
    t.equal(isKnownForm(address), known, address)
  }
  t.equal(addressFault('no-reply@localhost', { singleLabel: true }), undefined)
})

t.test('who mail can come from', async (t) => {
  for (const sender of [
    'Ada <no-reply@localhost>',
    'no-reply@b\u00fccher.example',
    'A <a@b\u00fccher.example>',
  ]) {
    t.ok(isSender(sender), sender)
  }
  for (const sender of ['Ada <ren\u00e9e@example.com>', 'ada@127.0.0.1', 'Ada'])
    t.notOk(isSender(sender), sender)
})
