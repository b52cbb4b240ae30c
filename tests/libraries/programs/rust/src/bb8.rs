//! bb8 with its manager of tokio-postgres.

use crate::{Job, Library};
use bb8_postgres::PostgresConnectionManager;
use bb8_postgres::bb8::{Pool, PooledConnection};
use std::time::Duration;
use tokio_postgres::NoTls;

type Manager = PostgresConnectionManager<NoTls>;

/// Makes it. What bb8 has is a floor of idle connections, and a job's floor is another: it must be none.
pub async fn pool(job: &Job) -> Pool<Manager> {
    assert_eq!(job.min, 0, "bb8 has no floor of all connections");
    let manager = Manager::new_from_stringlike(job.conninfo("bb8"), NoTls).expect("a sound conninfo");
    let mut options =
        Pool::builder().max_size(job.max).max_lifetime(job.lifetime()).idle_timeout(job.idle_timeout());
    if let Some(sweep) = job.sweep {
        options = options.reaper_rate(Duration::from_secs_f64(sweep));
    }
    options.build(manager).await.expect("the server answers")
}

impl Library for Pool<Manager> {
    type Held = PooledConnection<'static, Manager>;

    async fn acquire(&self) -> Self::Held {
        self.get_owned().await.expect("a connection")
    }

    async fn pid(held: &mut Self::Held) -> i32 {
        held.query_one("select pg_backend_pid()", &[]).await.expect("an answer").get(0)
    }
}
