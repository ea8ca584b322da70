//! The wish to stop. What is in flight settles; nothing new begins.

use std::sync::Arc;
use tokio::sync::watch;
use transhume_contract::{Fault, Reach, What};

/// A wish that any task can look at or wait for. Cloned handles share it.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::channel(false).0))
    }
}

impl Stop {
    /// Asks everything to settle and stop.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    pub fn asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until somebody asks.
    pub async fn wait(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives as long as `self`, so this ends only when somebody asked.
        let _asked = receiver.wait_for(|asked| *asked).await;
    }

    /// A fault that ends the work in an orderly way, once somebody asked.
    pub fn check(&self) -> Result<(), Fault> {
        if self.asked() {
            return Err(Fault::new(What::Interrupted, "stopped on request").reaching(Reach::Run));
        }
        Ok(())
    }
}
