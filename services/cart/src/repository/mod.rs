//! All SQL of the cart: functions on a connection.

pub mod carts;
pub mod checkouts;
pub mod products;

/// Every statement of the cart, by name.
pub fn statements() -> Vec<(&'static str, &'static str)> {
    [carts::ALL, checkouts::ALL, products::ALL, crate::privacy::ALL].concat()
}
