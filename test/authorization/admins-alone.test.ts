import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Forbidden } from '#services/users/errors.ts'
import { borrowTestApp } from '#test/support/borrow.ts'

const ROOT = join(import.meta.dirname, '../..')

/**
 * The functions of services that are for the service's admins. Before them stand checks of the routes, so that no answer
 * shows whether their own are there.
 */
const FOR_ADMINS: Readonly<Record<string, readonly string[]>> = {
  'audit/audit.ts': ['listPlatform', 'exportPlatform', 'provePlatform'],
  'authentication/impersonation.ts': ['start'],
  'files/administration.ts': ['listOfUser'],
  'files/quarantine.ts': ['list', 'release'],
  'mail/outbox.ts': ['list', 'get', 'resend', 'listTemplates', 'preview'],
  'operations/audit-verification.ts': ['get'],
  'operations/health-summary.ts': ['summarize'],
  'operations/job-actions.ts': ['preview', 'create', 'get', 'list', 'stop'],
  'operations/listed-jobs.ts': ['list', 'get'],
  'operations/queues.ts': ['list', 'setPaused', 'listSchedules', 'runSchedule'],
  'operations/settings.ts': ['list'],
  'organizations/administration.ts': ['list', 'get', 'listOfUser', 'setSuspended', 'appointOwner', 'purge'],
  'registration/registration.ts': ['invite'],
  'sessions/administration.ts': ['endFor'],
  'sessions/impersonations.ts': ['list', 'get'],
  'storage/limits.ts': ['get', 'update'],
  'users/administration.ts': ['search', 'get'],
  'users/users.ts': ['list'],
  'webhooks/administration.ts': ['listFailing'],
}

/** Functions of a file that begin by refusing everybody but admins. */
function declaredIn(path: string): string[] {
  const text = readFileSync(join(ROOT, 'services', path), 'utf8')
  const functions = [...text.matchAll(/^export (?:async )?function (\w+)\(.*?^}/gms)]
  return functions
    .filter(([whole]) => whole.includes('\n  assertAdmin(actor)\n'))
    .map(([, name = '']) => name)
}

t.test('what is for admins refuses others by itself, before it looks at anything', async (t) => {
  const { app, signUp } = await borrowTestApp(t, { APP_ROLE: 'web' })
  const { user, session_id: sessionId } = await signUp()
  const paths = globSync('**/*.ts', { cwd: join(ROOT, 'services') }).sort()
  const declared = paths.map((path) => [path, ...declaredIn(path)]).filter(({ length }) => length > 1)
  t.strictSame(
    declared,
    Object.entries(FOR_ADMINS).map(([path, names]) => [path, ...names]),
    'all of them are known',
  )
  const actor = { ...user, sessionId }
  for (const [path, names] of Object.entries(FOR_ADMINS)) {
    const service: Readonly<Record<string, unknown>> = await import(join(ROOT, 'services', path))
    for (const name of names) {
      const call = service[name]
      if (typeof call !== 'function') throw new TypeError(`${path} has no ${name}`)
      const refused = async () => Reflect.apply(call, undefined, [app.ctx, actor, {}, {}])
      await t.rejects(refused(), Forbidden, `${path}: ${name}`)
    }
  }
})
