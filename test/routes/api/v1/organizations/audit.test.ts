import { createHash } from 'node:crypto'
import t from 'tap'
import { leafHash, rootOfPath } from '#lib/merkle/merkle.ts'
import { openNote } from '#lib/signed-note/signed-note.ts'
import type { AuditEntry, AuditProof } from '#schemas/audit.ts'
import { cutBefore } from '#services/audit/cuts.ts'
import { erasePersonalDataJob } from '#services/audit/jobs.ts'
import { checkpoint, logContext, sealAll } from '#test/services/audit/log.ts'
import { expectProblem } from '#test/support/expect-problem.ts'
import { createTestApp } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'

const sha = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const bytes = (base64: string) => Buffer.from(base64, 'base64')
const uuid = (text: string) => Buffer.from(text.replaceAll('-', ''), 'hex')

function int64(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64BE(BigInt(value))
  return buffer
}

function field(value: Buffer | string | null): Buffer {
  const length = Buffer.alloc(4)
  if (value === null) return length.fill(0xff)
  const content = Buffer.from(value)
  length.writeInt32BE(content.length)
  return Buffer.concat([length, content])
}

/** Follows docs/audit-log.md from an entry to the root that its checkpoint should have. */
function rootOf(
  org: string,
  { entry, commitment, mac, previous, following, checkpoint: at, hash }: AuditProof,
) {
  const fields = [
    uuid(org),
    uuid(entry.id),
    int64(Date.parse(entry.at)),
    entry.actor_kind,
    entry.actor_id,
    entry.action,
    entry.target_type,
    entry.target_id,
    entry.outcome,
    entry.request_id,
    entry.details,
    bytes(commitment),
    bytes(mac),
  ]
  const digest = sha(Buffer.of(2), ...fields.map(field))
  let seq = entry.seq ?? 0
  let head = sha(Buffer.of(3), bytes(previous ?? ''), int64(seq), digest)
  if (head.toString('base64') !== hash || at === null) return undefined
  for (const next of following) head = sha(Buffer.of(3), head, int64(++seq), bytes(next))
  const leaf = leafHash(Buffer.concat([uuid(org), int64(seq), head]))
  const [, size, root] = at.note.split('\n')
  return {
    found: rootOfPath(leaf, at.leaf_index, Number(size), at.path.map(bytes))?.toString('base64'),
    root,
  }
}

t.test('the audit log of an organization', async (t) => {
  const { app, db, request, signUp } = await createTestApp(t, { APP_ROLE: 'web' })
  const ctx = logContext(app)
  const tenant = await createOrganization(app)
  const other = await createOrganization(app)
  const [admin, member] = [await tenant.add('admin'), await tenant.add('member')]
  const org = tenant.organization.id
  const url = `${tenant.url}/audit-entries`
  const list = async (query = ''): Promise<AuditEntry[]> =>
    (await request({ url: `${url}?${query}`, as: admin })).json().data

  await t.test('a change leaves one entry: who, what, from where', async (t) => {
    const headers = { 'user-agent': 'a browser', 'x-request-id': 'request-7' }
    const made = await request({
      method: 'POST',
      url: `${tenant.url}/projects`,
      payload: { name: 'A' },
      as: member,
      headers,
    })
    const entries = await list(`target_id=${made.json().id}`)
    t.same(await list(`target_id=${made.json().id.toUpperCase()}`), entries, 'ids are pasted in either case')
    for (const action of ['projects', 'projects.*', 'PROJECTS.CREATED', 'projects.created.x']) {
      const response = await request({ url: `${url}?action=${action}`, as: admin })
      const pointers = ['/query/action']
      expectProblem(t, response, { status: 400, code: 'validation_failed', pointers }, action)
    }
    t.match(entries, [
      {
        actor_kind: 'user',
        actor_id: member.user.id,
        action: 'projects.created',
        target_type: 'project',
        outcome: 'succeeded',
        request_id: 'request-7',
        ip: '127.0.0.1',
        user_agent: 'a browser',
        seq: null,
      },
    ])
    t.equal(entries.length, 1)
  })

  await t.test('a refusal for lack of rights leaves one entry, and a flood of them no more', async (t) => {
    for (let turn = 0; turn < 20; turn++) {
      const refused = await request({
        method: 'PATCH',
        url: tenant.url,
        payload: { name: 'Mine' },
        as: member,
      })
      expectProblem(t, refused, { status: 403, code: 'forbidden' })
    }
    const denied = await list('action=operations.updateOrganization')
    t.match(denied, [{ outcome: 'denied', actor_id: member.user.id, target_id: 'updateOrganization' }])
    t.equal(denied.length, 1)
    t.match(await app.metrics.getSingleMetricAsString('audit_denials_dropped_total'), / 19$/m)
    const key = await tenant.createApiKey({ scopes: ['projects:read'] })
    const asKey = {
      method: 'POST',
      url: `${tenant.url}/projects`,
      payload: { name: 'B' },
      headers: key.headers,
    } as const
    expectProblem(t, await app.inject(asKey), { status: 403, code: 'insufficient_scope' })
    t.match(await list('action=operations.createProject'), [{ actor_kind: 'api_key', actor_id: key.id }])
  })

  await t.test('refusing somebody who is not a member tells the organization nothing', async (t) => {
    const before = await list()
    const stranger = await signUp()
    expectProblem(
      t,
      await request({ method: 'DELETE', url: `/api/v1/users/${member.user.id}`, as: stranger }),
      { status: 403, code: 'forbidden' },
    )
    t.strictSame(await list(), before)
    const root = await signUp({ role: 'admin' })
    const platform = await request({
      url: `/api/v1/operations/audit-entries?actor_id=${stranger.user.id}`,
      as: root,
    })
    t.match(platform.json().data, [{ action: 'operations.deleteUser', outcome: 'denied' }])
    const theirs = await request({ url: `/api/v1/operations/audit-entries?organization_id=${org}`, as: root })
    t.strictSame(
      theirs.json().data,
      (await list()).map((entry) => ({ ...entry, organization_id: org })),
    )
    expectProblem(t, await request({ url: '/api/v1/operations/audit-entries', as: stranger }), {
      status: 404,
      code: 'route_not_found',
    })
  })

  await t.test('pages, filters and times', async (t) => {
    const all = await list('limit=100')
    t.strictSame(
      [...all].sort((a, b) => (a.id < b.id ? 1 : -1)),
      all,
      'newest first',
    )
    const first = (await request({ url: `${url}?limit=2`, as: admin })).json()
    const second = (await request({ url: `${url}?limit=2&cursor=${first.next_cursor}`, as: admin })).json()
    t.strictSame([...first.data, ...second.data], all.slice(0, 4))
    const [newest, next] = all
    t.strictSame(await list(`until=${all.at(-1)?.at}`), [])
    t.strictSame(
      await list(`until=${all.at(-1)?.at}&cursor=${first.next_cursor}`),
      [],
      'of a search without it',
    )
    const exact = await list(`since=${newest?.at}`)
    t.ok(exact.length > 0 && exact.every(({ at }) => at >= String(newest?.at)))
    t.ok(next)
    const conflict = await request({ url: `${url}?action=projects.created&actor_id=b`, as: admin })
    expectProblem(t, conflict, { status: 400, code: 'audit_filters_conflict' })
    expectProblem(t, await request({ url, as: member }), { status: 403, code: 'forbidden' })
  })

  await t.test('an export has every entry, a line each', async (t) => {
    const response = await request({ url: `${url}/export`, as: admin })
    t.match(response.headers['content-type'], /^application\/x-ndjson/)
    const lines = response.body.trimEnd().split('\n')
    t.strictSame(
      lines.map((line) => JSON.parse(line)),
      await list('limit=100'),
    )
  })

  await t.test('every entry is proved by what the document says', async (t) => {
    await other.createProject()
    const [waiting] = await list('limit=1')
    const unsealed = (await request({ url: `${url}/${waiting?.id}`, as: admin })).json()
    t.match(unsealed, { hash: null, previous: null, checkpoint: null })
    const note = await checkpoint(ctx)
    for (const { id } of await list('limit=100')) {
      const proof: AuditProof = (await request({ url: `${url}/${id}`, as: admin })).json()
      const roots = rootOf(org, proof)
      t.ok(roots?.root && roots.found === roots.root, id)
      t.equal(openNote(String(proof.checkpoint?.note), ctx.audit.noteKeys).state, 'signed')
      const { salt, entry, commitment } = proof
      const personal = [bytes(salt ?? ''), entry.ip, entry.user_agent, null]
      t.equal(sha(Buffer.of(4), ...personal.map(field)).toString('base64'), commitment)
    }
    await tenant.createProject()
    await sealAll(ctx)
    const head = (await request({ url: `${tenant.url}/audit-head`, as: admin })).json()
    t.match(head, { seq: (await list('limit=100')).length, checkpoint: note })
    const theirs = await other.auditEntry()
    expectProblem(t, await request({ url: `${url}/${theirs}`, as: admin }), {
      status: 404,
      code: 'audit_entry_not_found',
    })
  })

  await t.test('what follows a cut is proved too', async (t) => {
    await checkpoint(ctx)
    const before = await list('limit=1')
    for (let count = 0; count < 2; count++) await tenant.createProject()
    await checkpoint(ctx)
    t.match(await cutBefore(ctx, new Date('2999-01-01'), org), { chains: 1 })
    const left = await list()
    t.equal(left.length, 2)
    t.notOk(left.some(({ id }) => id === before[0]?.id))
    for (const { id } of left) {
      const proof: AuditProof = (await request({ url: `${url}/${id}`, as: admin })).json()
      const roots = rootOf(org, proof)
      t.ok(roots?.root && roots.found === roots.root, String(proof.entry.seq))
    }
  })

  await t.test('deleting an account erases its address, and no proof', async (t) => {
    const gone = await tenant.add('member')
    await request({ method: 'POST', url: `${tenant.url}/projects`, payload: { name: 'Gone' }, as: gone })
    await checkpoint(ctx)
    t.equal((await request({ method: 'DELETE', url: '/api/v1/users/me', as: gone })).statusCode, 204)
    const [entry] = await list(`actor_id=${gone.user.id}&limit=1`)
    const created = (await list(`actor_id=${gone.user.id}`)).find(
      ({ action }) => action === 'projects.created',
    )
    t.match(created, { ip: null, user_agent: null, actor_id: gone.user.id })
    t.ok(entry)
    t.strictSame(await db.query('SELECT FROM audit_personal WHERE user_id = $1', [gone.user.id]), [])
    const proof: AuditProof = (await request({ url: `${url}/${created?.id}`, as: admin })).json()
    const roots = rootOf(org, proof)
    t.ok(roots?.root && roots.found === roots.root)
  })

  await t.test('of somebody who has done very much, a job erases the rest', async (t) => {
    const busy = await signUp()
    const { id } = busy.user
    await db.querySuper(
      `INSERT INTO audit_personal (org_id, entry_id, user_id, salt)
       SELECT $1, gen_random_uuid(), $2, '' FROM generate_series(1, 6000)`,
      [org, id],
    )
    t.equal((await request({ method: 'DELETE', url: '/api/v1/users/me', as: busy })).statusCode, 204)
    const left = () => db.query('SELECT FROM audit_personal WHERE user_id = $1', [id])
    t.ok((await left()).length > 0, 'no statement takes long')
    const [job] = await db.query<{ data: { user: string } }>(
      "SELECT data FROM pgboss.job WHERE name = 'erase_personal_data'",
    )
    if (job === undefined) throw new Error('nobody erases the rest')
    const run = { id, attempt: 1, signal: new AbortController().signal, complete: async () => undefined }
    await erasePersonalDataJob.handler(app.ctx, job.data, run)
    t.strictSame(await left(), [])
  })
})
