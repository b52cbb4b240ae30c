"""psycopg's own pool."""

from psycopg_pool import ConnectionPool

from load import play


def make(job):
    limits = {"max_lifetime": job["max_lifetime"], "max_idle": job["idle_timeout"]}
    pool = ConnectionPool(
        f"host={job['host']} user=postgres dbname=postgres application_name=psycopg",
        kwargs={"autocommit": True},
        min_size=job["min"],
        max_size=job["max"],
        open=True,
        **{name: limit for name, limit in limits.items() if limit is not None},
    )
    return pool.getconn, pool.putconn


play(make)
