//! What the proxy is told to do.

use std::time::Duration;

/// How the proxy behaves.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Capabilities that are hidden and refused, in capitals: `UIDPLUS`, `MULTIAPPEND`, `LITERAL+`, `MOVE`...
    pub strip: Vec<String>,
    /// Response codes that are taken out although the capability stays: `APPENDUID`, `COPYUID`...
    pub strip_codes: Vec<String>,
    /// Capabilities added to what the server tells. `APPENDLIMIT=n` is also enforced (`NO [TOOBIG]`).
    pub advertise: Vec<String>,
    /// Added each way.
    pub latency: Duration,
    /// New connections are closed at once.
    pub refuse_connections: bool,
    /// What happens to single commands.
    pub deeds: Vec<Deed>,
}

/// What happens to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The connection ends; the server never sees the command.
    CutOnArrival,
    /// The connection ends after half of the command's first literal (or of its line).
    CutMidway,
    /// The server obeys, but the connection ends instead of the tagged answer.
    CutBefore,
    /// The connection ends after the tagged answer.
    CutAfter,
    /// The server never sees the command, and nothing is heard any more.
    Stall,
    /// The server sees the command only after this time, even if the client has hung up by then. Its literals must not
    /// wait to be asked for.
    Late(Duration),
    /// The server obeys, but its tagged answer and all after it is held for ever.
    StallReply,
    /// The server never sees the command; this is the answer, such as `NO [OVERQUOTA] Quota exceeded`.
    Answer(String),
}

/// An act, and the command it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    pub verb: String,
    /// 1 is the next such command.
    pub nth: u64,
    pub act: Act,
    /// Whether it strikes again at every `every`-th command after that; 0 is once.
    pub every: u64,
}

impl Deed {
    pub fn new(verb: &str, nth: u64, act: Act) -> Self {
        Self { verb: verb.to_uppercase(), nth: nth.max(1), act, every: 0 }
    }

    /// The same at every `period`-th command after the first time.
    pub fn every(self, period: u64) -> Self {
        Self { every: period, ..self }
    }
}

impl Script {
    /// A server without these capabilities.
    pub fn without(capabilities: &[&str]) -> Self {
        Self { strip: capabilities.iter().map(|name| name.to_uppercase()).collect(), ..Self::default() }
    }

    pub fn latency(self, each_way: Duration) -> Self {
        Self { latency: each_way, ..self }
    }

    pub fn add(&mut self, deed: Deed) {
        self.deeds.push(deed);
    }

    /// Counts a command down in every deed that waits for it; the first that is due strikes.
    pub(crate) fn strike(&mut self, verb: &str) -> Option<Act> {
        let mut struck = None;
        self.deeds.retain_mut(|deed| {
            if deed.verb != verb {
                return true;
            }
            deed.nth -= 1;
            if deed.nth > 0 {
                return true;
            }
            struck.get_or_insert_with(|| deed.act.clone());
            deed.nth = deed.every;
            deed.every > 0
        });
        struck
    }

    pub(crate) fn hides(&self, capability: &str) -> bool {
        self.strip.iter().any(|name| name.eq_ignore_ascii_case(capability))
    }

    /// The largest message, if the script advertises one.
    pub(crate) fn append_limit(&self) -> Option<u64> {
        self.advertise.iter().find_map(|name| name.strip_prefix("APPENDLIMIT=")?.parse().ok())
    }
}
