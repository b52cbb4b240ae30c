// postgres.js. A transaction is what keeps a connection; it sees its own backend.

import postgres from 'postgres'
import { play } from './load.mjs'

await play((job) => {
  const sql = postgres({
    path: `${job.host}/.s.PGSQL.5432`,
    user: 'postgres',
    database: 'postgres',
    connection: { application_name: 'postgres-js' },
    max: job.max,
    max_lifetime: job.max_lifetime,
    idle_timeout: job.idle_timeout ?? 0,
    fetch_types: false,
  })
  return (hold) =>
    sql.begin(async (sql) => {
      const [{ pid }] = await sql`select pg_backend_pid() as pid`
      await hold(pid)
    })
})
