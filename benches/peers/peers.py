#!/usr/bin/env python3
"""The workloads of benches/workloads in SimPy, as its documentation writes such models: a process for each
customer, resources with queues, and the random module. A tenth of the customers, a twentieth of the firings:
a rate is per second anyway.

    peers.py mmc|hold-10k|hold-100k|pool [SEED]

Prints `count seconds figure`, as the program beside it does: the figure is the mean time in queues in seconds,
and for the hold model the simulated time. The hold model is timed from its first firing: to start its
processes would weigh too much beside so few.
"""

import random
import sys
import time

import simpy

CUSTOMERS = 100_000
FIRINGS = 250_000
LENGTH = 6.0


class Waits:
    """How many have begun to be served, how long they waited, and how long it took to simulate them."""

    def __init__(self):
        self.count = 0
        self.total = 0.0
        self.began = time.perf_counter()

    def add(self, wait):
        self.count += 1
        self.total += wait

    def outcome(self):
        return self.count, time.perf_counter() - self.began, self.total / self.count


def mmc(seed):
    """M/M/16 at 90 % load."""
    luck, env, waits = random.Random(seed), simpy.Environment(), Waits()
    servers = simpy.Resource(env, capacity=16)
    enough = env.event()

    def customer():
        came = env.now
        with servers.request() as server:
            yield server
            waits.add(env.now - came)
            if waits.count == CUSTOMERS:
                enough.succeed()
            yield env.timeout(luck.expovariate(1 / 0.0144))

    def source():
        while True:
            yield env.timeout(luck.expovariate(1000))
            env.process(customer())

    env.process(source())
    env.run(until=enough)
    return waits.outcome()


def pool(seed):
    """10,000 customers a second to 200 containers with 10 connections each, then one of 32 servers."""
    luck, env, waits = random.Random(seed), simpy.Environment(), Waits()
    containers = [simpy.Resource(env, capacity=10) for _ in range(200)]
    servers = simpy.Resource(env, capacity=32)

    def customer():
        came = env.now
        with containers[luck.randrange(200)].request() as connection:
            yield connection
            with servers.request() as server:
                yield server
                waits.add(env.now - came)
                yield env.timeout(luck.expovariate(1 / 0.002))

    def source():
        while True:
            env.process(customer())
            yield env.timeout(luck.expovariate(10_000))

    env.process(source())
    env.run(until=LENGTH)
    return waits.outcome()


def hold(seed, pending):
    """As many pending timers, each set anew for an exponential second when it fires."""
    luck, env = random.Random(seed), simpy.Environment()
    enough, fired, began = env.event(), 0, None

    def timer():
        nonlocal fired, began
        while True:
            yield env.timeout(luck.expovariate(1))
            fired += 1
            if fired == 1:
                began = time.perf_counter()
            if fired == FIRINGS:
                enough.succeed()

    for _ in range(pending):
        env.process(timer())
    env.run(until=enough)
    return fired, time.perf_counter() - began, env.now


def main():
    workload, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    match workload:
        case "mmc":
            count, seconds, figure = mmc(seed)
        case "pool":
            count, seconds, figure = pool(seed)
        case "hold-10k":
            count, seconds, figure = hold(seed, 10_000)
        case "hold-100k":
            count, seconds, figure = hold(seed, 100_000)
        case _:
            sys.exit(__doc__)
    print(f"{count} {seconds:.6f} {figure:.9f}")


if __name__ == "__main__":
    main()
