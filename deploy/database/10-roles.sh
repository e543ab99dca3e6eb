#!/bin/sh
# Run once by the database's image, before anything else: the owner of the tables, and the role of the boards, which
# "cityward migrate" lets read views and nothing else.
set -eu
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set=owner="$DATABASE_PASSWORD" --set=grafana="$GRAFANA_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE cityward LOGIN CREATEROLE PASSWORD :'owner';
CREATE ROLE cityward_grafana LOGIN PASSWORD :'grafana';
ALTER DATABASE cityward OWNER TO cityward;
ALTER SCHEMA public OWNER TO cityward;
SQL
