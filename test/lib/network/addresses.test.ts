import t from 'tap'
import { isLocalhost, networkOf, plainAddress } from '#lib/network/addresses.ts'

t.test('an address has one plain form', async (t) => {
  const forms: [text: string, plain: string | undefined][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:0201', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['', undefined],
    ['nonsense', undefined],
    ['192.0.2.256', undefined],
    ['192.0.2.1:80', undefined],
  ]
  for (const [text, plain] of forms) t.equal(plainAddress(text), plain, text)
})

t.test('attempts count for an IPv4 address, or the /64 of an IPv6 one', async (t) => {
  t.equal(networkOf('192.0.2.1'), '192.0.2.1')
  t.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1')
  t.equal(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  t.equal(networkOf('2001:db8:1:2:3:4:5:6'), networkOf('2001:db8:1:2:ffff::'))
  t.not(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'))
})

t.test('names that always mean this machine', async (t) => {
  for (const host of ['localhost', 'a.localhost', 'a.b.localhost']) t.equal(isLocalhost(host), true, host)
  for (const host of ['', 'notlocalhost', 'localhost.example', 'localhost.', 'example.com']) {
    t.equal(isLocalhost(host), false, host)
  }
})
