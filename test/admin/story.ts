import { v7 as uuidv7 } from 'uuid'
import type { Owner } from '#test/support/database.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestUser } from '#test/support/helper.ts'
import { createOrganization } from '#test/support/organizations.ts'
import { refusal, startSmtpServer } from '#test/support/smtp-server.ts'
import { createPanelWorld, type PanelWorld } from './browser.ts'

/** Users of a product, one of whom did not get a mail. */
export interface Story {
  readonly world: PanelWorld
  readonly ada: TestUser
  /** From now on the mail server takes mails to everybody. */
  repair(): void
}

const NAMES = [
  'grace.hopper',
  'edsger.dijkstra',
  'barbara.liskov',
  'donald.knuth',
  'radia.perlman',
  'tony.hoare',
]

/** Makes a service that has been in use for a while. */
export async function createStory(t: Owner): Promise<Story> {
  let isBroken = true
  const smtp = await startSmtpServer(t, {
    onRecipient: (address) => {
      if (isBroken && address.startsWith('ada')) throw refusal(450, '4.2.2 The mailbox is full')
    },
  })
  const world = await createPanelWorld(t, { APP_EMAIL__SMTP_URL: smtp.url })
  for (const name of NAMES) await world.signUp({ email: `${name}@example.com`, username: name })
  const ada = await world.signUp({ email: 'ada.lovelace@example.com', username: 'ada.lovelace' })
  const payload = { email: ada.user.email }
  await world.request({ method: 'POST', url: '/api/v1/auth/password/forgot', payload })
  await eventually(async () => {
    const { data } = (
      await world.request({ url: `/api/v1/operations/mails?user_id=${ada.user.id}`, as: world.admin })
    ).json()
    return data[0]?.error !== null && data[0] !== undefined
  })
  await addDeadLetters(world)
  await addOrganizations(world)
  return {
    world,
    ada,
    repair: () => {
      isBroken = false
    },
  }
}

const ORGANIZATIONS = ['Difference Engines', 'Jacquard Looms', 'Analytical Engines']

/** Organizations, the last of which has a webhook that does not reach its receiver. */
async function addOrganizations({ app, db }: PanelWorld): Promise<void> {
  for (const name of ORGANIZATIONS) {
    const { organization, owner, add, createProject, createWebhook } = await createOrganization(app)
    const slug = name.toLowerCase().replace(' ', '-')
    await db.query('UPDATE organizations SET name = $2, slug = $3 WHERE id = $1', [
      organization.id,
      name,
      slug,
    ])
    // Users of organizations are made up; these have a name.
    await db.query('UPDATE users SET email = $2, username = $3 WHERE id = $1', [
      owner.user.id,
      `owner@${slug}.example.com`,
      `owner.of.${slug}`,
    ])
    for (let count = 0; count < name.length; count++) await createProject()
    if (name !== ORGANIZATIONS.at(-1)) continue
    await add('member')
    const { id } = await createWebhook()
    await db.query(
      `UPDATE webhook_endpoints SET url = 'https://hooks.example.com/in', first_failed_at = now() - interval '7 hours',
         failed_attempts = 11 WHERE id = $1`,
      [id],
    )
  }
}

/** Deliveries that were given up, so that there is something to retry. */
async function addDeadLetters({ db }: PanelWorld): Promise<void> {
  for (let n = 0; n < 12; n++) {
    await db.query(
      `INSERT INTO pgboss.job (id, name, state, data, output, retry_count, retry_limit, source_name, source_id,
                               source_created_on, source_retry_count)
       VALUES ($1, 'dead_letter', 'created', $2, $3, 0, 0, 'deliver_webhook', $1, now() - $4 * interval '1 hour', 8)`,
      [
        uuidv7(),
        JSON.stringify({ delivery: uuidv7() }),
        JSON.stringify({ message: 'connect ECONNREFUSED 203.0.113.7:443' }),
        n + 1,
      ],
    )
  }
}
