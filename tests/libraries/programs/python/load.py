"""Plays a fixed load on a pool, and says what became of it (see ../rust/src/main.rs)."""

import json
import os
import sys
import threading
import time

_said = threading.Lock()


def say(event, **what):
    with _said:
        print(json.dumps({"event": event, **what, "at": time.time()}), flush=True)


def wait_until(at):
    time.sleep(max(0.0, at - time.monotonic()))


def play(make):
    """`make` makes the pool of a job: a function that gets a connection, and one that gives it back."""
    job = json.loads(sys.stdin.readline())
    say("ready")
    sys.stdin.readline()
    begin = time.monotonic()
    say("began")
    get, give_back = make(job)

    def request(number, at, hold):
        wait_until(begin + at)
        say("asked", request=number)
        connection = get()
        cursor = connection.cursor()
        cursor.execute("select pg_backend_pid()")
        pid = cursor.fetchone()[0]
        got = time.monotonic()
        say("got", request=number, pid=pid)
        wait_until(got + hold)
        say("released", request=number)
        give_back(connection)

    for number, (at, hold) in enumerate(job["requests"]):
        threading.Thread(target=request, args=(number, at, hold), daemon=True).start()
    wait_until(begin + job["until"])
    os._exit(0)
