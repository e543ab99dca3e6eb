"""The only SQL: migrations, named queries, the COPY writer, on TimescaleDB or plain PostgreSQL.

Does not: decide anything. It implements the Protocols that ingest, alarms, cases and notify declare.
"""
