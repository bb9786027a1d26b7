import type { Description } from '../dashboard.ts'
import { graph, stat } from '../panels.ts'
import { quantile, rate, series, share, sum } from '../promql.ts'

const COUNT = 'http_request_duration_seconds_count'
const HASH = 'password_hash_duration_seconds'

export default {
  title: 'Authentication',
  description: 'Logins, sessions, accounts, and what passwords cost.',
  rows: {
    Logins: [
      stat('Successful logins', { unit: 'ops', query: sum('', rate('logins_total', 'outcome="success"')) }),
      stat('Share of logins that fail', {
        unit: 'percentunit',
        query: share(sum('', rate('logins_total', 'outcome!="success"')), sum('', rate('logins_total'))),
        thresholds: { warn: 0.33, bad: 0.67 },
      }),
      graph('Logins by outcome', {
        unit: 'ops',
        queries: { '{{outcome}}': sum('outcome', rate('logins_total')) },
        span: 16,
        stack: true,
      }),
    ],
    Passwords: [
      graph('Passwords waiting to be hashed', {
        unit: 'short',
        queries: { '{{instance}}': series('password_hash_queue_length') },
        thresholds: { bad: 16 },
      }),
      graph('Password hashes', {
        unit: 'ops',
        description: 'One core makes about 50 a second.',
        queries: { '{{operation}}': sum('operation', rate(`${HASH}_count`)) },
      }),
      graph('Time to hash a password', {
        unit: 's',
        queries: {
          '{{operation}} p50': quantile(0.5, 'operation', HASH),
          '{{operation}} p95': quantile(0.95, 'operation', HASH),
        },
      }),
    ],
    'Sessions and accounts': [
      graph('Sessions refreshed and ended', {
        unit: 'reqps',
        description: 'Tokens that were refreshed, and sessions that their owners or admins ended.',
        queries: {
          '{{operation}}': sum(
            'operation',
            rate(
              COUNT,
              'operation=~"refreshTokens|logout|endSession|endOtherSessions|endUserSession|endUserSessions"',
              'status_code=~"2.."',
            ),
          ),
        },
      }),
      graph('Account changes', {
        unit: 'reqps',
        queries: {
          '{{operation}}': sum(
            'operation',
            rate(
              COUNT,
              'operation=~"createUser|inviteUser|verifyEmail|forgotPassword|resetPassword|changePassword|deleteCurrentUser|deleteUser"',
              'status_code=~"2.."',
            ),
          ),
        },
      }),
      graph('Requests refused: 401, 403, 429', {
        unit: 'reqps',
        description: '401: no token or a wrong one; 403: not allowed; 429: too many attempts.',
        queries: {
          '{{operation}} {{status_code}}': sum(
            'operation, status_code',
            rate(COUNT, 'status_code=~"401|403|429"'),
          ),
        },
      }),
      graph('Requests refused by rate limits (429)', {
        unit: 'reqps',
        description: 'By whose limit it was: that of the user, the API key, its organization or the address.',
        queries: { '{{subject}}': sum('subject', rate('rate_limit_refusals_total')) },
      }),
    ],
  },
} satisfies Description
