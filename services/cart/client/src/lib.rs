//! cart-client
