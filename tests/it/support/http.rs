//! People who call, and what they are answered.

use std::net::SocketAddr;

use reqwest::{Method, header::HeaderMap};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Somebody who calls, with or without a token.
#[derive(Clone)]
pub struct Person {
    address: SocketAddr,
    token: Option<String>,
    headers: Vec<(String, String)>,
    http: reqwest::Client,
}

/// What a call was answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null if it is none.
    pub json: Value,
}

impl Person {
    /// Somebody without credentials.
    pub fn new(address: SocketAddr) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self { address, token: None, headers: Vec::new(), http: http.build().expect("a client") }
    }

    /// The same with a bearer token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same with one header more on every call.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    /// The same, calling from another address of this machine.
    pub fn calling_from(&self, address: [u8; 4]) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let http = http.local_address(std::net::IpAddr::from(address)).build().expect("a client");
        Self { http, ..self.clone() }
    }

    /// The same, calling another address.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    /// The token, if there is one.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A request to be sent by [`Self::send`].
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, format!("http://{}{path}", self.address));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }

    /// Calls without a body.
    pub async fn call(&self, method: &str, path: &str) -> Answer {
        Answer::of(self.request(method, path)).await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path).await
    }

    /// POST with JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request("POST", path).json(&body)).await
    }

    /// PATCH with JSON.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request("PATCH", path).json(&body)).await
    }

    /// POST with a body of another kind.
    pub async fn send(&self, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
        Answer::of(self.request("POST", path).header("content-type", content_type).body(body)).await
    }
}

impl Answer {
    /// Sends a request and reads its answer.
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a whole body");
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status, headers, text, json }
    }

    /// A header's value, empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("visible characters"))
    }

    /// The id of the resource.
    pub fn id(&self) -> String {
        self.json["id"].as_str().expect("an id").to_owned()
    }

    /// Asserts a problem of this status and returns what it says.
    pub fn problem(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.json["status"], status, "{self:?}");
        self.json["detail"].as_str().expect("a detail")
    }

    /// The fields a 422 complains about.
    pub fn fields(&self) -> Vec<&str> {
        assert_eq!(self.status, 422, "{self:?}");
        let errors = self.json["errors"].as_array().expect("errors");
        errors.iter().map(|e| e["field"].as_str().expect("a field")).collect()
    }
}

/// Sends bytes as they are and returns all that comes back until the end: for what no client would send.
pub async fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}
