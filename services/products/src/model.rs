//! What products decides, without I/O: [`list`] reads a search, [`words`] its text, [`picture`] accepts uploads, [`stock`] grants and takes back.

pub mod entry;
pub mod list;
pub mod picture;
pub mod stock;
pub mod words;
