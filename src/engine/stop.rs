//! The wish to stop. What is in flight settles; nothing new begins.

use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use transhume_contract::{Fault, Reach, What};

/// How long an answer that is on its way is waited for, once somebody asked to stop.
const GRACE: Duration = Duration::from_secs(5);

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
        if self.asked() { Err(interrupted()) } else { Ok(()) }
    }

    /// What comes of a question, unless somebody asks to stop meanwhile: a service may let us wait for half an hour.
    /// Only for what may be dropped at any moment.
    pub async fn unless<T>(&self, question: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        tokio::select! {
            biased;
            () = self.wait() => Err(interrupted()),
            answer = question => answer,
        }
    }

    /// What comes of an order that changes something on the other side: once somebody asks to stop, its answer is waited
    /// for a little, since most are on their way. Where none comes, nobody knows whether it was done, and the fault says
    /// so.
    pub async fn settling<T>(&self, order: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        self.check()?;
        tokio::select! {
            biased;
            answer = order => answer,
            () = self.waited() => Err(interrupted().outcome_unknown()),
        }
    }

    /// Waits until somebody asked, and a little longer.
    pub async fn waited(&self) {
        self.wait().await;
        tokio::time::sleep(GRACE).await;
    }
}

fn interrupted() -> Fault {
    Fault::new(What::Interrupted, "stopped on request").reaching(Reach::Run)
}
