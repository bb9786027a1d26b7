import t from 'tap'
import { addressOf, nodesOfForwarded, nodesOfList } from '#plugins/http/request/forwarded.ts'
import { trustOf } from '#plugins/http/request/trusted-proxies.ts'

t.test('an address in each form that proxies write', async (t) => {
  const rows: [string, string | undefined][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:5678', '192.0.2.1'],
    ['192.0.2.1:_port', '192.0.2.1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['2001:db8:0:0:0:0:0:1:443', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:80', 'fe80::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['[::ffff:192.0.2.1]:80', '192.0.2.1'],
    ...[
      'unknown',
      '_hidden',
      '',
      '1',
      '0x7f.1',
      '192.0.2',
      '192.0.2.256',
      '192.0.2.1:',
      'host.example:80',
    ].map((node): [string, undefined] => [node, undefined]),
    ...['[192.0.2.1]:80', '[]', '[::1', '::1]', '1.2.3.4:80:90', '2001:db8::g'].map(
      (node): [string, undefined] => [node, undefined],
    ),
  ]
  for (const [node, address] of rows) t.equal(addressOf(node), address, node)
})

t.test('X-Forwarded-For, the nearest first', async (t) => {
  t.same(nodesOfList('a, b ,\tc'), ['c', 'b', 'a'])
  t.same(nodesOfList(''), [])
  t.same(nodesOfList(' , a,, '), ['a'])
  const long = nodesOfList(`${'10.0.0.1,'.repeat(5000)}b`)
  t.equal(long.length, 32)
  t.equal(long[0], 'b')
})

t.test('Forwarded, the nearest first', async (t) => {
  const rows: [string, string[]][] = [
    ['for=192.0.2.1', ['192.0.2.1']],
    ['For="[2001:db8::1]:4711";proto=https;by=203.0.113.4', ['[2001:db8::1]:4711']],
    ['for=[2001:db8::1]', ['[2001:db8::1]']],
    ['for=192.0.2.1, for=_b;host="a,b;c" , for=unknown', ['unknown', '_b', '192.0.2.1']],
    ['for="a\\"b"', ['a"b']],
    ['for=192.0.2.1,\t, for=192.0.2.2 ,', ['192.0.2.2', '192.0.2.1']],
    [', ;\t', ['']],
    ['proto=https', ['']],
    ['for=192.0.2.1, proto=https', ['', '192.0.2.1']],
    ['', ['']],
    // What a client begins with an open quote, and a proxy appends to.
    ['for=6.6.6.6;x=", for="[2001:db8::1]"', ['invalid']],
    ['for=", for=192.0.2.1', ['invalid']],
    ['for=6.6.6.6;for=192.0.2.1', ['invalid']],
    ['192.0.2.1', ['invalid']],
  ]
  for (const [header, nodes] of rows) t.same(nodesOfForwarded(header), nodes, header)
  t.equal(nodesOfForwarded('for=a,'.repeat(2000)).length, 32)
})

t.test('trusted proxies by name, range and address', async (t) => {
  const isTrusted = trustOf(['loopback', '10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::ffff:172.16.0.0/108'])
  for (const address of ['127.0.0.5', '::1', '10.255.0.1', '192.0.2.7', '2001:db8:9::1', '172.31.0.1']) {
    t.ok(isTrusted(address), address)
  }
  for (const address of ['11.0.0.1', '192.0.2.8', '2001:db9::1', '172.32.0.1'])
    t.notOk(isTrusted(address), address)
  const named = trustOf(['linklocal', 'uniquelocal'])
  for (const address of ['169.254.1.1', 'fe80::1', '192.168.1.1', 'fd00::1']) t.ok(named(address), address)
  t.notOk(trustOf([])('127.0.0.1'))
})
