// node-postgres and its pg-pool.

import pg from 'pg'
import { play } from './load.mjs'

await play((job) => {
  const pool = new pg.Pool({
    host: job.host,
    user: 'postgres',
    database: 'postgres',
    application_name: 'pg-pool',
    max: job.max,
    min: job.min,
    maxLifetimeSeconds: job.max_lifetime ?? 0,
    idleTimeoutMillis: (job.idle_timeout ?? 0) * 1000,
  })
  return async (hold) => {
    const client = await pool.connect()
    const { rows } = await client.query('select pg_backend_pid() as pid')
    await hold(rows[0].pid)
    client.release()
  }
})
