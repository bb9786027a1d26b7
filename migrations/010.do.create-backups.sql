-- The last good backup, so that the service can say how old it is. The row is written after the dump, so a restored
-- database knows of the one before, which is older: the alert is then early and never late.
CREATE TABLE backups (
  is_last    boolean        NOT NULL DEFAULT true CONSTRAINT backups_pkey PRIMARY KEY
                            CONSTRAINT backups_one_row CHECK (is_last),
  created_at timestamptz(3) NOT NULL,
  size       bigint         NOT NULL CONSTRAINT backups_size_check CHECK (size >= 0)
);
