DROP TABLE users;
DROP FUNCTION touch_updated_at();
DROP FUNCTION case_fold(text);
