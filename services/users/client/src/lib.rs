//! users-client
