import { Type } from '@sinclair/typebox'
import { BUCKET } from './bucket.ts'
import { List, Section, Text } from './kinds.ts'

const CheckpointBucket = Section('A bucket that every checkpoint is also written to, as an object.', {
  bucket: Type.Optional(
    Text({
      format: 's3-bucket',
      description:
        'Its name; best one whose objects nobody can change, and the key for it may only write and read.',
    }),
  ),
  prefix: Type.Optional(
    Text({
      format: 's3-prefix',
      description: 'Beginning of the names of all objects, such as `checkpoints/`.',
    }),
  ),
  ...BUCKET,
})

/** Keys below `audit`. */
export const Audit = Section('The audit log (docs/audit-log.md).', {
  signing_key_file: Type.Optional(
    Text({
      description:
        'Path of the private key (PEM, Ed25519) that signs checkpoints of the audit log; `npm run keys -- new` makes one. Best a key of its own. Without it checkpoints are not signed, and anyone who writes the database can write them too.',
    }),
  ),
  verification_key_files: List({
    format: 'file-path',
    description:
      'Paths of the keys (PEM, Ed25519, public or private) that signed checkpoints before `signing_key_file`; without them what they signed can no longer be verified.',
  }),
  checkpoint_directory: Type.Optional(
    Text({
      description:
        'A directory that every checkpoint is also written to, each as a file; best one that the database server cannot reach. The log has them in any case.',
    }),
  ),
  checkpoint_s3: CheckpointBucket,
})
