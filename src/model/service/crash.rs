//! Containers that die.
//!
//! In the real world: an out-of-memory kill, a poisoned request that reaches every container, a zone or a
//! node pool that is taken away. Modelled: the processes end without a drain; what they have in flight is
//! lost (Cloud Run answers 503, cloud-run.md §1.4), their kernels close their connections, and a backend at
//! work on a statement finds out when it has something to say. Each that was to stay is launched anew at
//! once, as an orchestrator does, and dials like any new container. Left out: the pause before a further
//! restart of one container (CrashLoopBackOff), machines that vanish without closing their connections.

use super::Service;
use crate::model::ContainerId;
use crate::model::context::Context;
use crate::model::fact::Recorder;
use crate::scenario::units::Share;

impl Service {
    /// So many of all containers die at once, by lot: one at least, unless it is none at all.
    pub fn crash<R: Recorder>(&mut self, ctx: &mut Context<R>, share: Share) {
        let wanted = self.staying();
        let dying = self.lot(ctx, share);
        // All are out before the first is gone: who waits for room finds none in those that die with it.
        for &id in &dying {
            self.take_out(ctx, id);
        }
        self.rollout.old.retain(|old| !dying.contains(old));
        for id in dying {
            self.stop(ctx, id);
        }
        self.grow(ctx, wanted);
        self.run(ctx);
    }

    /// A share of the containers. Who is drawn depends on the container and the instant alone, so that
    /// variants lose the same.
    fn lot<R: Recorder>(&self, ctx: &Context<R>, share: Share) -> Vec<ContainerId> {
        let ticket = |number: u64| {
            let luck = self.luck.named("container").at(number).named("crash").at(ctx.now().0);
            (luck.draws().below(u64::MAX), number)
        };
        let mut lot: Vec<_> = self.containers.iter().map(|(id, home)| (ticket(home.number), id)).collect();
        lot.sort_unstable_by_key(|(ticket, _)| *ticket);
        let count = (share.0 * lot.len() as f64).round() as usize;
        lot.truncate(if share.0 > 0.0 { count.max(1) } else { 0 });
        lot.into_iter().map(|(_, id)| id).collect()
    }
}
