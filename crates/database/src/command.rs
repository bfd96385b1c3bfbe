//! Statements that are sent together.

use tokio_postgres::types::ToSql;

/// A statement and its parameters: for [`crate::Connection::run`], or with others for [`crate::Connection::last`].
pub struct Command<'a> {
    sql: &'static str,
    params: Vec<Box<dyn ToSql + Sync + Send + 'a>>,
}

impl<'a> Command<'a> {
    /// A statement of a repository, without parameters so far.
    pub fn new(sql: &'static str) -> Command<'a> {
        Command { sql, params: Vec::new() }
    }

    /// Adds the next parameter.
    pub fn with(mut self, param: impl ToSql + Sync + Send + 'a) -> Command<'a> {
        self.params.push(Box::new(param));
        self
    }

    pub(crate) fn sql(&self) -> &'static str {
        self.sql
    }

    pub(crate) fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect()
    }
}
