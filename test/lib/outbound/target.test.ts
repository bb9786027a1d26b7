import t from 'tap'
import { addressCheck } from '#lib/outbound/addresses.ts'
import { type TargetRules, targetFault } from '#lib/outbound/target.ts'
import { REFUSED, TAKEN } from './spellings.ts'

const rules: TargetRules = {
  allowHttp: false,
  allowedPorts: [443, 8443],
  ownHosts: ['api.groundwork.example', '198.41.0.4:443'],
  isAllowedAddress: addressCheck(),
}

for (const [why, urls] of Object.entries(REFUSED)) {
  t.test(`refused: ${why}`, async (t) => {
    for (const url of urls) t.type(targetFault(url, rules)?.must, 'string', JSON.stringify(url).slice(0, 80))
  })
}

t.test('hosts of the internet are taken', async (t) => {
  for (const url of TAKEN) t.equal(targetFault(url, rules), undefined, url)
})

t.test('settings open what they name, and nothing else', async (t) => {
  const open: TargetRules = {
    allowHttp: true,
    allowedPorts: [],
    ownHosts: ['127.0.0.1:8080'],
    isAllowedAddress: addressCheck(['127.0.0.0/8', 'fd00::/8']),
  }
  t.equal(targetFault('http://127.0.0.1:9000/in', open), undefined)
  t.equal(targetFault('http://localhost:9000/in', open), undefined)
  t.equal(targetFault('http://[fd00::1]/in', open), undefined)
  t.match(targetFault('http://127.0.0.1:8080/in', open)?.must, 'than the service itself')
  t.match(targetFault('http://[::1]:9000/in', open)?.must, 'on the internet')
  t.match(targetFault('http://10.0.0.1/in', open)?.must, 'on the internet')
  t.match(targetFault('http://127.1/in', open)?.must, 'usual spelling')
})

t.test('bounds are met exactly', async (t) => {
  const url = (length: number) => `https://hooks.example.com/${'x'.repeat(length - 26)}`
  t.equal(url(2048).length, 2048)
  t.equal(targetFault(url(2048), rules), undefined)
  t.match(targetFault(url(2049), rules)?.must, 'at most 2048 characters')
  const one = { ...rules, isAllowedAddress: addressCheck(['fd00::12/128']) }
  t.equal(targetFault('https://[fd00::12]/in', one), undefined, 'all of the address counts')
  t.match(targetFault('https://[fd00::1]/in', one)?.must, 'on the internet')
})

t.test('names are those that DNS and other machines have', async (t) => {
  for (const host of ['localhost', 'hooks.localhost'])
    t.match(targetFault(`https://${host}/in`, rules)?.must, 'on the internet', host)
  const label = 'a'.repeat(63)
  t.equal(targetFault(`https://${label}.example/`, rules), undefined)
  t.match(targetFault(`https://${label}a.example/`, rules)?.must, 'usual spelling')
  const long = `${'a.'.repeat(123)}example`
  t.equal(long.length, 253)
  t.equal(targetFault(`https://${long}/`, rules), undefined)
  t.match(targetFault(`https://b${long}/`, rules)?.must, 'usual spelling')
})

t.test('addresses are those of the internet, also within others', async (t) => {
  const isAllowed = addressCheck(['10.1.0.0/16'])
  for (const address of ['8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808', '10.1.2.3']) {
    t.equal(isAllowed(address), true, address)
  }
  const refused = ['10.2.0.1', '::ffff:10.2.0.1', '64:ff9b::a02:1', '2002:808:808::1', 'fe80::1%1', '', 'x']
  for (const address of refused) t.equal(isAllowed(address), false, address)
})
