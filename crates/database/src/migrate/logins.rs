//! The services' roles, as logins.

use postgres_protocol::password::scram_sha_256;
use tokio_postgres::Client;

use super::MigrateError;

/// The database role of a service.
pub fn role_of(service: &str) -> String {
    format!("prost_{service}")
}

/// Lets a service's role log in, with this password if there is one. The server gets a verifier only: what it logs of
/// this statement tells nobody the password.
///
/// Errors: the owner may not alter roles.
pub async fn let_in(owner: &Client, service: &str, password: Option<&[u8]>) -> Result<(), MigrateError> {
    let role = role_of(service);
    let password = password.map(|password| format!(" PASSWORD '{}'", scram_sha_256(password))).unwrap_or_default();
    owner.batch_execute(&format!("ALTER ROLE {role} LOGIN{password}")).await?;
    Ok(())
}
