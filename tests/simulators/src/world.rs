//! Everything a running simulator shares.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, RwLock};
use rand::SeedableRng;
use rand::distr::{Distribution, StandardUniform};
use rand_chacha::ChaCha8Rng;

use crate::faults::Faults;
use crate::login::{Devices, Doorkeeper};
use crate::options::{Knobs, Options};
use crate::pace::Pace;
use crate::stats::Stats;
use crate::tenant::Tenant;
use crate::units::Units;
use crate::wire::Seal;

pub(crate) struct World {
    pub options: Options,
    knobs: RwLock<Arc<Knobs>>,
    pub tenant: Tenant,
    pub seal: Seal,
    pub doorkeeper: Doorkeeper,
    pub devices: Devices,
    pub pace: Pace,
    pub units: Units,
    pub faults: Faults,
    pub stats: Arc<Stats>,
    /// The port of the second origin.
    pub downloads: u16,
    dice: Mutex<ChaCha8Rng>,
}

impl World {
    pub fn new(options: Options, tenant: Tenant, doorkeeper: Doorkeeper, downloads: u16) -> Self {
        Self {
            knobs: RwLock::new(Arc::new(options.knobs.clone())),
            seal: Seal::of(&options.tenant_id),
            faults: Faults::new(options.seed),
            dice: Mutex::new(ChaCha8Rng::seed_from_u64(options.seed)),
            devices: Devices::default(),
            pace: Pace::default(),
            units: Units::default(),
            stats: Arc::new(Stats::default()),
            options,
            tenant,
            doorkeeper,
            downloads,
        }
    }

    pub fn knobs(&self) -> Arc<Knobs> {
        self.knobs.read().clone()
    }

    pub fn turn(&self, knobs: Knobs) {
        *self.knobs.write() = Arc::new(knobs);
    }

    /// The simulator's own time.
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.knobs().clock_offset_s);
        Timestamp::now().checked_add(ahead).unwrap_or_else(|_| Timestamp::now())
    }

    /// A number that the seed decides.
    pub fn roll<T>(&self) -> T
    where
        StandardUniform: Distribution<T>,
    {
        StandardUniform.sample(&mut *self.dice.lock())
    }

    /// A GUID that the seed decides.
    pub fn guid(&self) -> String {
        uuid::Builder::from_random_bytes(self.roll()).into_uuid().to_string()
    }
}
