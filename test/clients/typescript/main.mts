/** Registers, signs in, reads, lists, changes, reads a refusal, and keeps a file, with the generated clients. */
import assert from 'node:assert/strict'
import * as api from './client.ts'
import * as zod from './schemas.ts'

const name = String(process.env['NAME'])
const email = `${name}@example.com`
const password = 'correct horse battery staple'

for (const address of [email, 'j\u00f6rg@example.com']) zod.LoginBody.parse({ email: address, password })
const registered = await api.createUser(zod.CreateUserBody.parse({ email, username: name, password }))
assert(registered.status === 201)
const refused = await api.login({ email, password: 'wrong password' })
assert(refused.status === 401)
assert.equal(refused.data.code, 'invalid_credentials')
const signedIn = await api.login({ email, password })
assert(signedIn.status === 200)
zod.LoginResponse.parse(signedIn.data)

const options = { headers: { authorization: `Bearer ${signedIn.data.access_token}` } }
const me = await api.getCurrentUser(options)
assert(me.status === 200)
assert.equal(zod.GetCurrentUserResponse.parse(me.data).id, registered.data.id)
const page = await api.listCurrentUserSessions({ limit: 1 }, options)
assert(page.status === 200)
assert.equal(zod.ListCurrentUserSessionsResponse.parse(page.data).next_cursor, null)
const changed = await api.updateCurrentUser({ username: `${name}2` }, options)
assert(changed.status === 200)
assert.equal(changed.data.username, `${name}2`)
assert.throws(() => zod.UpdateCurrentUserBody.parse({ username: '-' }))
const invalid = await api.updateCurrentUser({ username: '-' }, options)
assert(invalid.status === 400)
assert.equal(invalid.data.errors?.[0]?.pointer, '/body/username')

const file = await api.createFile(zod.CreateFileBody.parse({ name: 'report.txt' }), options)
assert(file.status === 201)
const written = await api.putFileContent(file.data.id, new Blob(['report']), options)
assert(written.status === 200)
assert.equal(zod.PutFileContentResponse.parse(written.data).size, 6)
const usage = await api.getStorageUsage(options)
assert(usage.status === 200)
assert(zod.GetStorageUsageResponse.parse(usage.data).max_bytes > 2 ** 31)
process.stdout.write('done\n')
