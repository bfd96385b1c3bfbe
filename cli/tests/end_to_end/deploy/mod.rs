//! `deploy/`: what its files say, and the shop that they describe, run without an engine.

mod compose;
mod containers;
mod file;
mod shop;
