//! What integration tests need: real servers, a database and a virtual host per test, faults, and waiting
//! for the shop to come to rest.
//!
//! cargo-nextest runs each test in a process of its own, so servers are shared between processes: the
//! first test that needs one starts it in `TESTKIT_DIR` (default `target/testkit`), the next ones adopt
//! it, and it stays up for the next run. `./prost test` stops them at the end; by hand:
//! [`stop_shared_servers`].
//!
//! Environment: `TESTKIT_DATABASE_URL` (an owner's login to a maintenance database) and
//! `TESTKIT_REDIS_URL` name servers to use instead. RabbitMQ is always the node of `TESTKIT_DIR`, because
//! a virtual host per test needs its management.
//!
//! Helpers here panic: in a test every fault of the surroundings is a failed test with its reason.

mod broker;
mod hang_up;
mod idle;
mod outsider;
mod paging;
mod private;
mod proxy;
mod raw;
mod shared;
mod template;
mod test_database;

pub use broker::TestBroker;
pub use hang_up::polled;
pub use idle::{drain_until_idle, eventually};
pub use outsider::{Heard, Outsider};
pub use paging::{NewIds, PageOfIds, copy_row, pages_survive_writes};
pub use private::{Paused, PrivatePostgres, PrivateRabbit};
pub use proxy::FaultProxy;
pub use raw::{
    lose_messages, may_consume, may_publish, park_in_rabbit, publish_to_postgres, publish_to_rabbit, unbind_in_rabbit,
};
pub use shared::{redis_url, shared_folder, stop_shared_servers};
pub use test_database::{TestDatabase, connect, foundation_with, prepare_all};
