import { ServiceError } from '#lib/errors.ts'
import { databaseAdvice } from './database-advice.ts'

/** Errors whose message was written for the operator. */
const SPOKEN = new Set([
  'BackupError',
  'ConfigError',
  'EmbeddedPostgresError',
  'KeyRingError',
  'MeasurementError',
  'MigrationError',
  'ObjectStoreError',
  'ProxyUnsupported',
  'RefusedCommand',
  'UnboundRole',
  'UnknownQueue',
  'WorkerFailed',
])

/** Advice on the system's errors when the listener is opened. */
const LISTENER: Readonly<Record<string, string>> = {
  EADDRINUSE: 'The port is taken, perhaps by another instance. Set APP_SERVER__PORT to use another.',
  EACCES:
    'Ports below 1024 are for root. Set APP_SERVER__PORT to a higher one and have a proxy in front, or grant ' +
    'Node CAP_NET_BIND_SERVICE.',
  EADDRNOTAVAIL:
    'This machine has no such address. Set APP_SERVER__HOST to one of its own, or to 0.0.0.0 for all.',
  ENOTFOUND:
    'The host name has no address here. Set APP_SERVER__HOST to an address of this machine, or to 0.0.0.0 for all.',
  EAFNOSUPPORT: 'This machine has no IPv6. Set APP_SERVER__HOST to 0.0.0.0 for all addresses of IPv4.',
}

/** Advice on the system's errors about a file. */
const FILES: Readonly<Record<string, string>> = {
  EACCES:
    'is not accessible to the user of this process. Make that user its owner (chown), or run as its owner.',
  EPERM:
    'is not accessible to the user of this process. Make that user its owner (chown), or run as its owner.',
  EROFS: 'is on a file system that is mounted read-only. Mount it for writing, or choose another place.',
  ENOSPC: 'cannot be written: the disk is full. Make room, or choose another place.',
  EDQUOT: "cannot be written: the user's quota is used up. Make room, or choose another place.",
  ENOENT: 'does not exist. Correct the setting that names it, or make it.',
  EEXIST: 'is in the way. Move it, or choose another place.',
  ENOTDIR: 'cannot be: a part of the path is a file, not a directory. Move it, or choose another place.',
}

/**
 * Says what is wrong and what to do in sentences; an error that nobody foresaw comes with its stack.
 *
 * @param options.listening whether a host that has no address is the listener's, and not the database's
 */
export function explainFailure(error: unknown, { listening = false } = {}): string {
  if (!(error instanceof Error)) return String(error)
  if (SPOKEN.has(error.name)) return error.message
  const advice = adviceOn(error, listening)
  if (advice !== undefined) return `${summary(error)}\n${advice}`
  if (error instanceof ServiceError) return error.message
  // PostgreSQL has a severity; its words are enough.
  return 'severity' in error ? error.message : (error.stack ?? error.message)
}

interface SystemError extends Error {
  code?: string
  syscall?: string
  path?: string
}

function adviceOn(error: SystemError, listening: boolean): string | undefined {
  const { code = '', syscall, path } = error
  // A worker process has its primary bind the port.
  const isListener = syscall === 'listen' || syscall === 'bind' || (listening && syscall === 'getaddrinfo')
  if (isListener) return LISTENER[code]
  if (path !== undefined && FILES[code] !== undefined) return `${path} ${FILES[code]}`
  return databaseAdvice(error)
}

function summary(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map(({ message }) => message).join('\n')
  return error.message
}
