//! analytics-client
