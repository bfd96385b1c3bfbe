//! A statement that is put together piece by piece, with its parameters in step.

use database::{Connection, Row, ToSql};
use service::Error;

type Value = Box<dyn ToSql + Sync + Send>;

/// SQL and the values of its parameters.
#[derive(Default)]
pub struct Statement {
    sql: String,
    values: Vec<Value>,
}

impl Statement {
    /// Appends SQL without parameters.
    pub fn add(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// Appends SQL in which every `?` stands for the value.
    pub fn bind(&mut self, sql: &str, value: impl ToSql + Sync + Send + 'static) {
        self.values.push(Box::new(value));
        self.sql.push_str(&sql.replace('?', &format!("${}", self.values.len())));
    }

    /// Runs it.
    pub async fn query(&self, db: &Connection) -> Result<Vec<Row>, Error> {
        let params: Vec<&(dyn ToSql + Sync)> =
            self.values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        Ok(db.query(&self.sql, &params).await?)
    }

    /// Its SQL, for the test that prepares every statement.
    pub fn into_sql(self) -> String {
        self.sql
    }
}
