//! Private servers, tested with the real programs of this machine (installed if they are missing).

mod postgres;
mod rabbit;
mod redis;
mod support;
