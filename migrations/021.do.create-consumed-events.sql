-- Events that consumers have handled: written by the transaction of the handler, so that each is handled once.
CREATE TABLE consumed_events (
  event_id    uuid           NOT NULL,
  consumer    text           NOT NULL,
  consumed_at timestamptz(3) NOT NULL DEFAULT now(),
  -- By the event first: old ones, whose ids begin with their time, are deleted in a range.
  CONSTRAINT consumed_events_pkey PRIMARY KEY (event_id, consumer)
);
