DROP TABLE mails;
DROP TABLE job_actions;
DROP TABLE paused_queues;
