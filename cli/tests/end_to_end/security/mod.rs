//! What keeps strangers out, proven on a running shop.

mod authorisation;
mod fields;
mod limits;
mod logs;
mod privileges;
mod tokens;
