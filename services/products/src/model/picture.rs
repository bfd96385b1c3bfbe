//! What may be uploaded as a picture, and what it is called then.

use axum::http::StatusCode;
use products_client::{MAX_PICTURE_BYTES, NewPicture, UPLOADS, is_upload_name};
use service::Error;
use sha2::{Digest, Sha256};

/// Kinds of pictures that are accepted. SVG is none of them: it can carry scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Png,
    Jpeg,
    WebP,
    Avif,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Png, Kind::Jpeg, Kind::WebP, Kind::Avif];

    fn content_type(self) -> &'static str {
        match self {
            Kind::Png => "image/png",
            Kind::Jpeg => "image/jpeg",
            Kind::WebP => "image/webp",
            Kind::Avif => "image/avif",
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Kind::Png => "png",
            Kind::Jpeg => "jpg",
            Kind::WebP => "webp",
            Kind::Avif => "avif",
        }
    }

    /// Do the first bytes say so?
    fn is_of(self, bytes: &[u8]) -> bool {
        let has = |at: usize, magic: &[u8]| bytes.get(at..at + magic.len()) == Some(magic);
        match self {
            Kind::Png => has(0, b"\x89PNG\r\n\x1a\n"),
            Kind::Jpeg => has(0, b"\xff\xd8\xff"),
            Kind::WebP => has(0, b"RIFF") && has(8, b"WEBP"),
            Kind::Avif => has(4, b"ftypavif") || has(4, b"ftypavis"),
        }
    }
}

/// A picture that may be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The SHA-256 of its bytes, and an ending.
    pub file: String,
    /// What it is.
    pub content_type: &'static str,
    /// Strong entity tag with its quotes.
    pub etag: String,
}

impl Upload {
    /// Errors: 413 `picture_too_large`, 415 `unsupported_picture`, 422 if its bytes are something else than it says.
    pub fn parse(picture: &NewPicture) -> Result<Upload, Error> {
        if picture.bytes.len() > MAX_PICTURE_BYTES {
            let message = format!("a picture has at most {MAX_PICTURE_BYTES} bytes");
            return Err(Error::new(StatusCode::PAYLOAD_TOO_LARGE, "picture_too_large", message));
        }
        let named = picture.content_type.trim().to_ascii_lowercase();
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.content_type() == named) else {
            let message = "a picture is image/png, image/jpeg, image/webp or image/avif";
            return Err(Error::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_picture", message));
        };
        if !kind.is_of(&picture.bytes) {
            return Err(Error::invalid("content", "mismatch", format!("these bytes are no {named}")));
        }
        let hash = hex::encode(Sha256::digest(&picture.bytes));
        Ok(Upload {
            file: format!("{hash}.{}", kind.ending()),
            content_type: kind.content_type(),
            etag: format!("\"{hash}\""),
        })
    }
}

/// The uploads among addresses of pictures, each once, in the order that all writers lock them in.
///
/// Errors: 422 for an address under [`UPLOADS`] that none can have.
pub fn uploads<'a>(addresses: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, Error> {
    let mut files = Vec::new();
    for file in addresses.into_iter().filter_map(|address| address.strip_prefix(UPLOADS)) {
        if !is_upload_name(file) {
            return Err(no_upload());
        }
        files.push(file.to_owned());
    }
    files.sort_unstable();
    files.dedup();
    Ok(files)
}

/// 422.
pub fn no_upload() -> Error {
    Error::invalid("images", "unknown", "there is no such uploaded picture")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(content_type: &str, bytes: &[u8]) -> Result<Upload, Error> {
        let bytes = axum::body::Bytes::copy_from_slice(bytes);
        Upload::parse(&NewPicture { content_type: content_type.to_owned(), bytes })
    }

    #[test]
    fn a_picture_is_called_by_what_it_is() {
        let png = parse(" Image/PNG", b"\x89PNG\r\n\x1a\n...").unwrap();
        assert_eq!(png.content_type, "image/png");
        assert!(is_upload_name(&png.file) && png.file.ends_with(".png"), "{}", png.file);
        assert!(parse("image/jpeg", b"\xff\xd8\xff\xe0").is_ok());
        assert!(parse("image/webp", b"RIFF....WEBPVP8 ").is_ok());
        assert!(parse("image/avif", b"\0\0\0 ftypavif").is_ok());
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let status = |content_type, bytes: &[u8]| parse(content_type, bytes).unwrap_err().status.as_u16();
        assert_eq!(status("image/svg+xml", b"<svg/>"), 415);
        assert_eq!(status("text/html", b"<html>"), 415);
        assert_eq!(status("image/png", b"<svg/>"), 422);
        assert_eq!(status("image/png", b"\xff\xd8\xff"), 422, "a JPEG is no PNG");
        assert_eq!(status("image/webp", b"RIFF"), 422);
        assert_eq!(status("image/png", b""), 422);
        assert_eq!(status("image/png", &[0; MAX_PICTURE_BYTES + 1]), 413);
    }

    #[test]
    fn uploads_are_told_from_other_addresses() {
        let file = format!("{}.png", "a".repeat(64));
        let address = format!("{UPLOADS}{file}");
        let given = [address.as_str(), "/images/a.svg", "https://example.com/pictures/x.png", &address];
        assert_eq!(uploads(given).unwrap(), [file]);
        assert_eq!(uploads(["/pictures/../x"]).unwrap_err().code, "validation_failed");
    }
}
