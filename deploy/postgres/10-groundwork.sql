-- Run once, when the volume is empty: the service owns its database and is not a superuser.
\set password `cat /run/secrets/database_password`
CREATE ROLE groundwork LOGIN PASSWORD :'password';
CREATE DATABASE groundwork OWNER groundwork;
