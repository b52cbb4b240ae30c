//! Whether the bounds and the targets of a service that scales make sense.

use super::Checker;
use crate::scenario::grammar::{Scaler, Service};
use crate::scenario::units::Share;

impl Checker<'_> {
    pub(super) fn scaling(&mut self, name: &str, base: &str, service: &Service) {
        let (min, max) = (service.containers.min, service.containers.max);
        if min > max {
            let message = format!("service `{name}` has at least {min} containers and at most {max}");
            self.error(&format!("{base}.containers.min"), message, "let `min` be at most `max`");
        } else if service.scaler == Scaler::Fixed && min != max {
            let message = format!("the fixed scaler of `{name}` cannot go from {min} to {max} containers");
            let help = "let `min` equal `max`, or choose another `scaler`";
            self.error(&format!("{base}.containers"), message, help);
        }
        let targets =
            [("concurrency_target", service.concurrency_target), ("cpu_target", service.cpu_target)];
        for (key, _) in targets.into_iter().filter(|(_, target)| *target == Some(Share(0.0))) {
            let message = format!("a `{key}` of nothing asks for endless containers");
            self.error(&format!("{base}.{key}"), message, "write for example \"60%\"");
        }
    }
}
