//! The mean of the last samples.
//!
//! In the real world: the stable and the panic window of Knative, the minute and the ten of Cloud Run
//! (cloud-run.md §1.1, §2). Modelled: as many samples as ticks go into the window, all of equal weight, full
//! of the steady load from the start. Left out: weights that fade, samples that are missing.

use std::collections::VecDeque;

/// The last so many samples, all of equal weight.
#[derive(Clone, Debug)]
pub struct SampleWindow {
    samples: VecDeque<f64>,
}

impl SampleWindow {
    /// A window that has seen nothing but this value.
    pub fn full_of(value: f64, length: usize) -> SampleWindow {
        SampleWindow { samples: vec![value; length].into() }
    }

    /// The oldest sample makes room for a new one.
    pub fn push(&mut self, value: f64) {
        self.samples.pop_front();
        self.samples.push_back(value);
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        self.samples.iter().sum::<f64>() / self.samples.len() as f64
    }
}
