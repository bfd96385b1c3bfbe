//! orders-client
