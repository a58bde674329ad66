//! What pages load besides themselves: the style sheet and the icon, embedded
//! and named by the hash of their content, so that browsers keep them for good.

use std::sync::LazyLock;

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse as _, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::header;
use sha2::{Digest as _, Sha256};

use crate::{
    base::{Error, Result},
    web::State,
};

/// The address of the style sheet.
pub static STYLE: LazyLock<String> = LazyLock::new(|| FILES[0].address());

/// The address of the icon.
pub static ICON: LazyLock<String> = LazyLock::new(|| FILES[1].address());

/// All there is to load.
const FILES: [File; 2] = [
    File { end: "css", media: "text/css; charset=utf-8", text: include_str!("assets/style.css") },
    File { end: "svg", media: "image/svg+xml", text: include_str!("assets/icon.svg") },
];

struct File {
    end: &'static str,
    media: &'static str,
    text: &'static str,
}

impl File {
    fn name(&self) -> String {
        let hash = Sha256::digest(self.text.as_bytes());
        let (short, _) = hash.split_at(9);
        format!("{}.{}", URL_SAFE_NO_PAD.encode(short), self.end)
    }

    fn address(&self) -> String {
        format!("/admin/assets/{}", self.name())
    }
}

/// Serves them.
pub fn router() -> Router<State> {
    Router::new().route("/admin/assets/{file}", get(file))
}

async fn file(Path(name): Path<String>) -> Result<Response> {
    let file = FILES.iter().find(|file| file.name() == name);
    let file = file.ok_or_else(|| Error::NotFound("file".to_owned()))?;
    let head =
        [(header::CONTENT_TYPE, file.media), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((head, file.text).into_response())
}
