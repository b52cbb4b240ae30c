"""SQLAlchemy's QueuePool, with psycopg's connections."""

import psycopg
from sqlalchemy.pool import QueuePool

from load import play


def make(job):
    conninfo = f"host={job['host']} user=postgres dbname=postgres application_name=sqlalchemy"
    pool = QueuePool(
        lambda: psycopg.connect(conninfo),
        pool_size=job["max_idle"],
        max_overflow=job["max"] - job["max_idle"],
        recycle=-1 if job["max_lifetime"] is None else job["max_lifetime"],
    )
    return pool.connect, lambda connection: connection.close()


play(make)
