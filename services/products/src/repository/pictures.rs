//! Pictures: those of the demo, and uploads.

use std::time::Duration;

use axum::body::Bytes;
use database::Connection;
use events::UserId;
use products_client::{NewPicture, Picture, UPLOADS, UploadedPicture};
use service::Error;

use crate::model::picture::Upload;

database::statements! {
    /// A picture.
    FIND = "SELECT content_type, etag, bytes FROM pictures WHERE file = $1";
    /// Stores an upload; one that is there is as good as new.
    STORE = "INSERT INTO pictures (file, content_type, etag, bytes, uploaded_by) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (file) DO UPDATE SET used_at = now()
        RETURNING content_type, size, created_at";
    /// Notes that uploads are given to a product, or taken from one; in order, so that writers do not wait in a circle.
    TOUCH = "UPDATE pictures SET used_at = now()
        FROM (SELECT file FROM pictures WHERE file = ANY($1) ORDER BY file FOR NO KEY UPDATE) touched
        WHERE pictures.file = touched.file";
    /// Takes uploads away that no product shows, a deleted one neither. Who gives one to a product touches it first, so
    /// that it is not taken in this very moment: its row is locked, or newer than it looked.
    PRUNE = "DELETE FROM pictures USING (
            SELECT file FROM pictures
            WHERE uploaded_by IS NOT NULL AND used_at < now() - $1::float8 * interval '1 second'
              AND $2::text || file NOT IN (
                  SELECT image FROM products p CROSS JOIN LATERAL unnest(p.images || p.image_url) AS image
                  WHERE image LIKE $2::text || '%')
            ORDER BY file LIMIT $3 FOR UPDATE SKIP LOCKED) useless
        WHERE pictures.file = useless.file";
}

/// A picture by its file name.
pub async fn find(db: &Connection, file: &str) -> Result<Option<Picture>, Error> {
    let row = db.query_opt(FIND, &[&file]).await?;
    Ok(row.map(|row| Picture {
        content_type: row.get("content_type"),
        etag: row.get("etag"),
        bytes: Bytes::from(row.get::<_, Vec<u8>>("bytes")),
    }))
}

/// Stores an upload, once.
pub async fn store(
    tx: &Connection,
    upload: &Upload,
    picture: &NewPicture,
    by: UserId,
) -> Result<UploadedPicture, Error> {
    let bytes: &[u8] = &picture.bytes;
    let row = tx.query_one(STORE, &[&upload.file, &upload.content_type, &upload.etag, &bytes, &by]).await?;
    Ok(UploadedPicture {
        url: format!("{UPLOADS}{}", upload.file),
        content_type: row.get("content_type"),
        size: row.get("size"),
        created_at: row.get("created_at"),
    })
}

/// Begins the grace of these anew, so that the next pruning leaves them; returns how many there are.
pub async fn touch(tx: &Connection, files: &[String]) -> Result<u64, Error> {
    if files.is_empty() {
        return Ok(0);
    }
    Ok(tx.execute(TOUCH, &[&files]).await?)
}

/// Takes away unused uploads that were last touched longer ago than `grace`, `rows` at most; returns how many.
pub async fn prune(tx: &Connection, grace: Duration, rows: i64) -> Result<u64, Error> {
    Ok(tx.execute(PRUNE, &[&grace.as_secs_f64(), &UPLOADS, &rows]).await?)
}
