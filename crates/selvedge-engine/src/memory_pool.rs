//! A limit of memory that is met by spilling.
//!
//! DataFusion deals memory out evenly to all operators of a query that can move rows to disk, those that hold nothing too, and
//! leaves the rest to those that cannot.  In a long query the share of each is less than a batch, a sort that is refused its first
//! batch has nothing to move, and a merge of what was moved gets what happens to be left: the query fails, or not, by which
//! operators are still there when it asks.  So the rows at hand are granted to each operator.

use std::fmt;

use datafusion::error::Result;
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// Bytes that each operator may hold, whatever the others do: some batches.
const AT_HAND: usize = 8 << 20;

/// [`FairSpillPool`], with room for the rows at hand.
#[derive(Debug)]
pub struct SpillPool {
    shares: FairSpillPool,
}

impl SpillPool {
    /// Of so many bytes.
    pub fn new(limit: usize) -> Self {
        Self { shares: FairSpillPool::new(limit) }
    }
}

impl fmt::Display for SpillPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shares.fmt(f)
    }
}

impl MemoryPool for SpillPool {
    fn name(&self) -> &str {
        self.shares.name()
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.shares.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.shares.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.shares.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.shares.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.shares.try_grow(reservation, additional).or_else(|refused| {
            if reservation.size() + additional > AT_HAND {
                return Err(refused);
            }
            self.shares.grow(reservation, additional);
            Ok(())
        })
    }

    fn reserved(&self) -> usize {
        self.shares.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.shares.memory_limit()
    }
}
