//! What products decides, without I/O: [`list`] reads a search, [`stock`] grants and takes back.

pub mod entry;
pub mod list;
pub mod stock;
