import { Type } from '@sinclair/typebox'
import { BUCKET } from './bucket.ts'
import { Choice, Duration, Section, Size, Text } from './kinds.ts'

/** A size that is larger than what memory could hold. */
const LARGEST = '1048576GiB'

const S3 = Section('The object store, where `files.store` is `s3`.', {
  bucket: Type.Optional(
    Text({
      format: 's3-bucket',
      description: 'Bucket that holds the files, and nothing else below `prefix`.',
    }),
  ),
  prefix: Type.Optional(
    Text({
      format: 's3-prefix',
      description:
        'Beginning of the names of all objects, such as `files/`, where others use the bucket too.',
    }),
  ),
  ...BUCKET,
  public_endpoint: Type.Optional(
    Text({
      format: 'public-url',
      description:
        "Where clients reach the store, if that is not `endpoint`: the host of the URLs that lead them there. Its certificate and its CORS rules are the store's.",
    }),
  ),
  download: Choice(['proxy', 'redirect'], {
    description:
      'How content is read: through the service (`proxy`), or from the store itself, to which clients are sent with a URL that works for a minute (`redirect`).',
  }),
  memory: Size({
    minimum: '16MiB',
    maximum: '4GiB',
    description:
      'Memory for parts on their way to the store, in each process. Uploads beyond it wait for each other.',
  }),
})

const Scan = Section('The malware scanner: clamd of ClamAV. Without an address no file is scanned.', {
  address: Type.Optional(
    Text({
      format: 'clamd-url',
      description: 'Where clamd listens: `tcp://clamav:3310` or `unix:///run/clamav/clamd.ctl`.',
    }),
  ),
  max_size: Size({
    maximum: LARGEST,
    description:
      "Largest content that is scanned; no more than clamd's `StreamMaxLength`, `MaxFileSize` and `MaxScanSize`: of what it looked at in part it says that it is clean.",
  }),
  on_error: Choice(['hold', 'pass'], {
    description:
      'What happens to content that could not be scanned, because it is too large or the scanner fails: `hold` keeps it from everybody until an admin releases it or the scanner is back; `pass` lets it be read.',
  }),
  timeout: Duration({
    minimum: '1s',
    maximum: '15m',
    description:
      'Time without any answer of clamd after which it is not waited for; more than its `MaxScanTime`.',
  }),
})

const Thumbnails = Section('Smaller copies of images, made by sharp where it is installed.', {
  enabled: Type.Boolean({ description: 'Whether there are any.' }),
  max_size: Size({ maximum: '1GiB', description: 'Largest image that copies are made of.' }),
  max_pixels: Type.Integer({
    minimum: 1,
    maximum: 500_000_000,
    description: 'Pixels that such an image may have, whatever its size in bytes.',
  }),
  max_memory: Size({
    minimum: '128MiB',
    maximum: '16GiB',
    description: 'Memory that the process may take that makes a copy; one at a time in each worker.',
  }),
})

/** Keys below `files`. */
export const Files = Section('Files that people and organizations keep.', {
  store: Choice(['local', 's3', 'none'], {
    description:
      'Where their bytes are: `local` in `files.directory`, `s3` in an object store, `none` nowhere, and then the service takes no files. With `local`, all processes must share the directory.',
  }),
  directory: Text({ description: 'Directory of the `local` store; it must outlive the process.' }),
  accel_prefix: Type.Optional(
    Text({
      format: 'accel-prefix',
      description:
        'Internal location of nginx, such as `/stored-files/`, from which nginx itself sends the contents of the `local` store (X-Accel-Redirect), to requests whose `X-Accel-Prefix` it set to the same text. The directory is then readable for its group.',
    }),
  ),
  max_size: Size({ maximum: LARGEST, description: 'Largest file; a larger one gets 413.' }),
  quota_per_user: Size({
    minimum: '0B',
    maximum: LARGEST,
    description: 'Bytes that the files of one user may have, those in the trash included.',
  }),
  quota_per_organization: Size({
    minimum: '0B',
    maximum: LARGEST,
    description: 'Bytes that the files of one organization may have, those in the trash included.',
  }),
  min_speed: Size({
    minimum: '0B',
    description:
      'Bytes a second that an upload must have, over each `server.request_timeout`; a slower one gets 408.',
  }),
  upload_lifetime: Duration({
    minimum: '1m',
    description: 'Time that a file without content is kept.',
  }),
  trash: Duration({
    minimum: '0ms',
    maximum: '3650d',
    description: 'How long a deleted file can be restored; after that its bytes are deleted.',
  }),
  link_lifetime: Duration({
    minimum: '1s',
    maximum: '7d',
    description: 'The longest time that a link to a file works.',
  }),
  public_url: Type.Optional(
    Text({
      format: 'public-url',
      description:
        'Where links to files lead: an origin of its own, such as `https://files.example.com`, so that no file shares one with pages. Without it, `server.public_url`.',
    }),
  ),
  s3: S3,
  scan: Scan,
  thumbnails: Thumbnails,
})
