-- Uploads whose bytes the client sends to the store itself: the store's id of the upload, and when the client said that all
-- of them are there.
ALTER TABLE uploads
  ADD COLUMN store_upload_id text
    CONSTRAINT uploads_store_upload_id_length CHECK (char_length(store_upload_id) BETWEEN 1 AND 2000),
  ADD COLUMN completed_at timestamptz(3);
