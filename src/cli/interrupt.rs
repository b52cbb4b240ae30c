//! Ctrl-C, the SIGTERM of Kubernetes, `docker stop` and batch systems, and the SIGHUP of a terminal that
//! goes: the first asks the runs to stop, so that what is finished can be kept; the second ends the process.
//! Left out: that `nohup` has SIGHUP ignored; `setsid` keeps it away.

use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// Listens for Ctrl-C and its like from now on; the flag becomes true when it comes.
pub fn listen() -> &'static AtomicBool {
    // It fails only if somebody listens already, which is as good.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            exit(130);
        }
    });
    &STOP
}
