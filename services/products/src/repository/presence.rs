//! The lock by which processes of the service know of each other. Its number is the service's own in the database.

use database::Connection;
use service::Error;

database::statements! {
    /// Held by every process. Waits for one that holds it alone.
    JOIN = "SELECT pg_advisory_lock_shared(7021, 1)";
    /// Held by the only process, besides.
    CLAIM = "SELECT pg_try_advisory_lock(7021, 1) AS is_alone";
    /// Does somebody wait for it?
    IS_WANTED = "SELECT EXISTS (
            SELECT FROM pg_locks
            WHERE locktype = 'advisory' AND classid = 7021 AND objid = 1 AND NOT granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS is_wanted";
    /// Alone no more.
    SHARE = "SELECT pg_advisory_unlock(7021, 1)";
    /// Gone.
    LEAVE = "SELECT pg_advisory_unlock_all()";
    /// Which cluster and database this is, whatever it is called.
    IDENTITY = "SELECT system.system_identifier::text || '-' || here.oid::text AS identity
        FROM pg_control_system() AS system, pg_database AS here WHERE here.datname = current_database()";
}

/// Waits until no other process is alone, and holds the lock with the others.
pub async fn join(session: &Connection) -> Result<(), Error> {
    session.query_one(JOIN, &[]).await?;
    Ok(())
}

/// Whether this session is the only one that holds the lock; if so, it keeps others from it.
pub async fn claim(session: &Connection) -> Result<bool, Error> {
    Ok(session.query_one(CLAIM, &[]).await?.get("is_alone"))
}

/// Whether another waits to join.
pub async fn is_wanted(session: &Connection) -> Result<bool, Error> {
    Ok(session.query_one(IS_WANTED, &[]).await?.get("is_wanted"))
}

/// Lets others join.
pub async fn share(session: &Connection) -> Result<(), Error> {
    session.query_one(SHARE, &[]).await?;
    Ok(())
}

/// Holds nothing any more.
pub async fn leave(session: &Connection) -> Result<(), Error> {
    session.query_one(LEAVE, &[]).await?;
    Ok(())
}

/// Names the database the same in every process, whatever its address is there.
pub async fn identity(db: &Connection) -> Result<String, Error> {
    Ok(db.query_one(IDENTITY, &[]).await?.get("identity"))
}
