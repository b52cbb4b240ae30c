"""Plays a fixed load on psycopg_pool, and says what became of it (see ../rust/src/main.rs)."""

import json
import os
import sys
import threading
import time

from psycopg_pool import ConnectionPool

job = json.loads(sys.stdin.readline())
said = threading.Lock()


def say(event, **what):
    with said:
        print(json.dumps({"event": event, **what, "at": time.time()}), flush=True)


def wait_until(at):
    time.sleep(max(0.0, at - time.monotonic()))


def request(number, at, hold):
    wait_until(begin + at)
    say("asked", request=number)
    connection = pool.getconn()
    pid = connection.execute("select pg_backend_pid()").fetchone()[0]
    got = time.monotonic()
    say("got", request=number, pid=pid)
    wait_until(got + hold)
    say("released", request=number)
    pool.putconn(connection)


say("ready")
sys.stdin.readline()
begin = time.monotonic()
say("began")
limits = {"max_lifetime": job["max_lifetime"], "max_idle": job["idle_timeout"]}
pool = ConnectionPool(
    f"host={job['host']} user=postgres dbname=postgres application_name=psycopg",
    kwargs={"autocommit": True},
    min_size=job["min"],
    max_size=job["max"],
    open=True,
    **{name: limit for name, limit in limits.items() if limit is not None},
)
for number, (at, hold) in enumerate(job["requests"]):
    threading.Thread(target=request, args=(number, at, hold), daemon=True).start()
wait_until(begin + job["until"])
os._exit(0)
