//! Request bodies: what they are by their content type.

use bytes::Bytes;

/// A request body: as it came, and what it was found to be.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// The bytes as they came: `ctx.request.body_bytes()`.
    pub raw: Bytes,
    /// What `ctx.request.body` is made of.
    pub content: Content,
}

/// What a body was found to be, by its content type.
#[derive(Clone, Debug, Default)]
pub enum Content {
    /// There was none: `()`.
    #[default]
    None,
    /// JSON whose syntax and depth were checked; the values are made from `raw` on the script thread.
    Json,
    /// Form fields in their order.
    Form(Vec<(String, String)>),
    /// The parts of `multipart/form-data` in their order.
    Multipart(Vec<Part>),
    /// Text.
    Text(String),
    /// Anything else: `raw` as a blob.
    Blob,
}

/// One part of a multipart body.
#[derive(Clone, Debug)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// What it holds.
    pub value: PartValue,
}

/// What one part of a multipart body holds.
#[derive(Clone, Debug)]
pub enum PartValue {
    /// A plain field.
    Text(String),
    /// A file.
    File {
        /// The name the sender gave it.
        filename: String,
        /// Its content type, if it was said.
        content_type: Option<String>,
        /// Its bytes.
        data: Bytes,
    },
}
