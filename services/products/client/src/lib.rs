//! products-client
