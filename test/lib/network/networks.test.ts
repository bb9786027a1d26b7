import t from 'tap'
import { canonicalCidr, isCidr, Networks } from '#lib/network/networks.ts'

t.test('a network is an address and the number of its bits, and nothing looser', async (t) => {
  const good = ['192.0.2.0/24', '0.0.0.0/0', '192.0.2.7/32', '2001:db8::/32', '::/0', '::1/128']
  for (const text of good) t.ok(isCidr(text), text)
  const bad = [
    ...['', '/', '192.0.2.0', '192.0.2/24', '192.0.2.0/33', '192.0.2.0/-1', '192.0.2.0/024', '192.0.2.0/'],
    // Other programs read these as octal, hexadecimal or short forms.
    ...['0300.0.2.0/24', '010.0.0.0/8', '0xc0.0.2.0/24', '256.0.0.0/8', '192.0.2.0./24'],
    ...['2001:db8::', '2001:db8::/129', '2001:db8:::/32', 'fe80::1%eth0/64', '::ffff:192.0.2.0/120', 'a/8'],
    ...[`${'0'.repeat(10_000)}/8`, '192.0.2.0/24 ', '192.0.2.0/24\n'],
  ]
  for (const text of bad) t.notOk(isCidr(text), text.slice(0, 40))
})

t.test('its one form is without the bits of a host', async (t) => {
  t.equal(canonicalCidr('192.0.2.77/24'), '192.0.2.0/24')
  t.equal(canonicalCidr('2001:DB8:0:0::1/64'), '2001:db8::/64')
  t.equal(canonicalCidr('::ffff:a01:203/104'), '10.0.0.0/8')
})

t.test('addresses are in it or not, whatever they are', async (t) => {
  const networks = new Networks(['192.0.2.0/24', '2001:db8::/32'])
  for (const address of ['192.0.2.0', '192.0.2.255', '::ffff:192.0.2.8', '2001:db8:ffff::1']) {
    t.ok(networks.has(address), address)
  }
  for (const address of ['192.0.3.0', '2001:db9::1', '::1', 'nowhere', '']) {
    t.notOk(networks.has(address), address)
  }
  t.notOk(new Networks([]).has('192.0.2.1'))
})
