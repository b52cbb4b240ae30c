// Plays a fixed load on a pool, and says what became of it (see ../rust/src/main.rs).

import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

export const say = (event, what = {}) =>
  process.stdout.write(JSON.stringify({ event, ...what, at: Date.now() / 1000 }) + '\n')

// `make` makes the pool of a job: a function that gets a connection, hands the number of its backend to what
// it is given, and gives the connection back when that is done.
export async function play(make) {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  const job = JSON.parse((await lines.next()).value)
  say('ready')
  await lines.next()
  const begin = performance.now()
  say('began')
  const withConnection = make(job)
  job.requests.forEach(async ([at, hold], request) => {
    await sleep(begin + at * 1000 - performance.now())
    say('asked', { request })
    await withConnection(async (pid) => {
      say('got', { request, pid })
      await sleep(hold * 1000)
      say('released', { request })
    })
  })
  await sleep(begin + job.until * 1000 - performance.now())
  process.exit(0)
}
