//! Ctrl-C, and the SIGTERM of Kubernetes, `docker stop` and batch systems: the first asks the runs to stop,
//! so that what is finished can be kept; the second ends the process. SIGHUP is left to the terminal and to
//! `nohup`.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| {
    let stop: Arc<AtomicBool> = Arc::default();
    for signal in [SIGINT, SIGTERM] {
        // In this order: whoever finds the flag set already ends the process. Signals that cannot be listened
        // to would fail, which these are not.
        let _ = flag::register_conditional_shutdown(signal, 130, stop.clone());
        let _ = flag::register(signal, stop.clone());
    }
    stop
});

/// Listens for Ctrl-C and SIGTERM from now on; the flag becomes true when one comes.
pub fn listen() -> &'static AtomicBool {
    &STOP
}
