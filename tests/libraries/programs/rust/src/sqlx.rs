//! sqlx's pool.

use crate::{Job, Library};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, Postgres};

/// Makes it: with a floor as its `connect` does, and lazily without one.
pub async fn pool(job: &Job) -> PgPool {
    let server = PgConnectOptions::new_without_pgpass()
        .socket(&job.host)
        .username("postgres")
        .database("postgres")
        .application_name("sqlx");
    let options = PgPoolOptions::new()
        .max_connections(job.max)
        .min_connections(job.min)
        .max_lifetime(job.lifetime())
        .idle_timeout(job.idle_timeout());
    if job.min == 0 {
        options.connect_lazy_with(server)
    } else {
        options.connect_with(server).await.expect("the server answers")
    }
}

impl Library for PgPool {
    type Held = PoolConnection<Postgres>;

    async fn acquire(&self) -> Self::Held {
        PgPool::acquire(self).await.expect("a connection")
    }

    async fn pid(held: &mut Self::Held) -> i32 {
        sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut **held).await.expect("an answer")
    }
}
