//! deadpool-postgres. It has no lifetime: as its documentation shows, a hook looks at the age before a
//! connection is handed out again.

use crate::{Job, Library};
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool};
use tokio_postgres::{Config, NoTls};

/// Makes it.
pub fn pool(job: &Job) -> Pool {
    let server: Config = job.conninfo("deadpool").parse().expect("a sound conninfo");
    let manager = Manager::from_config(server, NoTls, ManagerConfig::default());
    let mut options = Pool::builder(manager).max_size(job.max as usize);
    if let Some(lifetime) = job.lifetime() {
        options = options.pre_recycle(Hook::sync_fn(move |_, metrics| {
            if metrics.age() > lifetime { Err(HookError::message("too old")) } else { Ok(()) }
        }));
    }
    options.build().expect("sound options")
}

impl Library for Pool {
    type Held = Object;

    async fn acquire(&self) -> Self::Held {
        self.get().await.expect("a connection")
    }

    async fn pid(held: &mut Self::Held) -> i32 {
        held.query_one("select pg_backend_pid()", &[]).await.expect("an answer").get(0)
    }
}
