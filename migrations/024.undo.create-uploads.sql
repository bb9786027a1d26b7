DROP TABLE uploads, object_appends;
DROP FUNCTION doom_uploaded_object;
