import t from 'tap'
import { MAX_ATTEMPTS, nextAttemptAt } from '#services/webhooks/schedule.ts'

const NOW = new Date('2026-03-01T00:00:00Z')

t.test('the schedule', async (t) => {
  const minutes = (attempts: number, options: object = {}) => {
    const at = nextAttemptAt(attempts, { now: NOW, random: () => 0.5, ...options })
    return at && (at.getTime() - NOW.getTime()) / 60_000
  }
  const all = Array.from({ length: MAX_ATTEMPTS }, (_, index) => minutes(index + 1))
  t.same(all, [5 / 60, 5, 30, 120, 300, 600, 840, 1200, 1440, undefined])
  t.equal(minutes(2, { random: () => 0 }), 4)
  t.equal(minutes(2, { random: () => 1 }), 6)
  const asked: [retryAfter: string, minutes: number][] = [
    ['600', 10],
    ['60', 5],
    ['999999999', 1440],
    ['9'.repeat(400), 1440],
    ['Sun, 01 Mar 2026 01:00:00 GMT', 60],
    ['Sun, 01 Mar 2026 00:00:00 GMT', 5],
    ['soon', 5],
    ['-5', 5],
  ]
  for (const [retryAfter, expected] of asked) t.equal(minutes(2, { retryAfter }), expected, retryAfter)
})
