-- Queues that an admin has paused: no worker begins their jobs.
CREATE TABLE paused_queues (
  name      text           NOT NULL CONSTRAINT paused_queues_pkey PRIMARY KEY,
  paused_at timestamptz(3) NOT NULL DEFAULT now()
);

-- What admins had done to many jobs at once, and how far it is. `position` is after the last job that was looked at.
CREATE TABLE job_actions (
  id           uuid           NOT NULL CONSTRAINT job_actions_pkey PRIMARY KEY,
  action       text           NOT NULL CONSTRAINT job_actions_action_known
               CHECK (action IN ('retry', 'cancel', 'delete')),
  -- JSON, as it was asked for.
  selection    text           NOT NULL,
  reason       text           NOT NULL CONSTRAINT job_actions_reason_length CHECK (char_length(reason) <= 500),
  requested_by uuid           CONSTRAINT job_actions_requested_by_fkey REFERENCES users ON DELETE SET NULL,
  status       text           NOT NULL CONSTRAINT job_actions_status_known
               CHECK (status IN ('running', 'finished', 'stopped')),
  total        integer        NOT NULL,
  done         integer        NOT NULL DEFAULT 0,
  position     text,
  created_at   timestamptz(3) NOT NULL DEFAULT now(),
  finished_at  timestamptz(3)
);
CREATE INDEX job_actions_requested_by_idx ON job_actions (requested_by);
CREATE INDEX job_actions_finished_at_idx ON job_actions (finished_at);

-- Every mail that was written, and what became of it, so that an admin can see why one did not arrive. The job that sends
-- it is gone a day after.
CREATE TABLE mails (
  id              uuid           NOT NULL CONSTRAINT mails_pkey PRIMARY KEY,
  template        text           NOT NULL,
  to_address      text           NOT NULL,
  -- JSON, as the job has it, so that it can be sent again.
  message         text           NOT NULL,
  state           text           NOT NULL DEFAULT 'waiting' CONSTRAINT mails_state_known
                  CHECK (state IN ('waiting', 'retrying', 'sent', 'failed', 'expired', 'replaced')),
  attempts        integer        NOT NULL DEFAULT 0,
  error           text           CONSTRAINT mails_error_length CHECK (char_length(error) <= 500),
  written_at      timestamptz(3) NOT NULL,
  last_attempt_at timestamptz(3),
  sent_at         timestamptz(3),
  -- The mail in whose place it is sent.
  resent_from     uuid
);
CREATE INDEX mails_to_address_idx ON mails (case_fold(to_address), id DESC);
CREATE INDEX mails_template_idx ON mails (template, id DESC);
CREATE INDEX mails_state_idx ON mails (state, id DESC) WHERE state <> 'sent';
