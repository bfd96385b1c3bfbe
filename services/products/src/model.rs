//! What products decides, without I/O: [`list`] reads a search, [`words`] its text, [`stock`] grants and takes back.

pub mod entry;
pub mod list;
pub mod stock;
pub mod words;
