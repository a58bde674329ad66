//! The pages, driven as a browser without JavaScript drives them: links, forms, cookies, redirects.

mod access;
mod account;
mod audit;
mod errors;
mod journey;
mod keys;
mod members;
mod reference;
mod settings;
mod users;

use std::{collections::BTreeMap, net::SocketAddr};

use crate::support::{
    app::{PASSWORD, TestApp},
    http::{Answer, Person},
};

/// A browser without JavaScript.
pub struct Browser {
    address: SocketAddr,
    cookies: BTreeMap<String, String>,
    /// The token that the forms of the last page had.
    token: String,
}

impl Browser {
    /// A fresh one.
    pub fn of(app: &TestApp) -> Self {
        Self { address: app.address, cookies: BTreeMap::new(), token: String::new() }
    }

    /// The owner's, after the claim.
    pub async fn of_owner(app: &TestApp) -> Self {
        let mut browser = Self::of(app);
        let fields =
            [("username", "ada"), ("password", PASSWORD), ("again", PASSWORD), ("display_name", "Ada")];
        let claimed = browser.post("/admin/claim", &fields).await;
        assert_eq!((claimed.status, claimed.header("location")), (303, "/admin"), "{claimed:?}");
        browser
    }

    /// That of somebody who has signed in.
    pub async fn of_user(app: &TestApp, username: &str, password: &str) -> Self {
        let mut browser = Self::of(app);
        let fields = [("username", username), ("password", password)];
        let signed_in = browser.post("/admin/login", &fields).await;
        assert_eq!((signed_in.status, signed_in.header("location")), (303, "/admin"), "{signed_in:?}");
        browser
    }

    /// Adds a user, as an administrator; the address of the user's page.
    pub async fn add_user(&mut self, username: &str) -> String {
        let fields = [
            ("username", username),
            ("instance_role", "member"),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ];
        self.submit("/admin/users", &fields).await.0
    }

    /// Whether it holds a session.
    pub fn is_signed_in(&self) -> bool {
        self.cookies.contains_key("picloud_session")
    }

    /// Opens a page, without following a redirect.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// Opens a page that must be there.
    pub async fn page(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.text
    }

    /// Sends a form, without following the redirect.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        if self.token.is_empty() && self.is_signed_in() {
            self.get("/admin").await;
        }
        let mut form = form_urlencoded::Serializer::new(String::new());
        let body = form.append_pair("form_token", &self.token).extend_pairs(fields).finish();
        self.send("POST", path, Some(body)).await
    }

    /// Sends a form that must be accepted, and opens the page it leads to.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> (String, String) {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status, 303, "{path}: {answer:?}");
        let next = answer.header("location").to_owned();
        let page = self.page(&next).await;
        (next, page)
    }

    async fn send(&mut self, method: &str, path: &str, form: Option<String>) -> Answer {
        let mut request = Person::new(self.address).request(method, path).header("accept", "text/html");
        if !self.cookies.is_empty() {
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", cookies.join("; "));
        }
        if let Some(form) = form {
            request = request
                .header("content-type", "application/x-www-form-urlencoded")
                .header("origin", format!("http://{}", self.address))
                .body(form);
        }
        let answer = Answer::of(request).await;
        if let Some(token) = tokens(&answer.text).first() {
            (*token).clone_into(&mut self.token);
        }
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("visible characters");
            let (name, value) = cookie.split(';').next().and_then(|c| c.split_once('=')).expect("a pair");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// The tokens in the forms of a page.
fn tokens(html: &str) -> Vec<&str> {
    let fields = html.split("name=\"form_token\" value=\"").skip(1);
    fields.filter_map(|rest| rest.split('"').next()).collect()
}

/// The text of a page without its tags, with single spaces.
pub fn text(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, after)| after));
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first address below `start` that a form of the page posts to.
pub fn action(html: &str, start: &str) -> String {
    let mut all = html.split("action=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let found = all.find(|action| action.starts_with(start) && action.len() > start.len());
    found.unwrap_or_else(|| panic!("no form to {start}... in {html}")).to_owned()
}

/// The path of the first link that begins with `start` and goes on.
pub fn link(html: &str, start: &str) -> String {
    let mut links = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let found = links.find(|link| link.starts_with(start) && link.len() > start.len());
    found.unwrap_or_else(|| panic!("no link to {start}... in {html}")).to_owned()
}

/// Asserts what every page has: a language, one heading, `nav` and `main`, and its security headers.
pub fn assert_is_page(answer: &Answer) {
    assert!(answer.text.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{answer:?}");
    for (tag, times) in [("<h1", 1), ("<main", 1), ("<script", 0), ("style=", 0)] {
        assert_eq!(answer.text.matches(tag).count(), times, "{tag} in {answer:?}");
    }
    assert!(answer.text.contains("<nav"), "{answer:?}");
    let (posting, tokens) = (answer.text.matches("method=\"post\"").count(), tokens(&answer.text));
    let is_signed_in = answer.text.contains("action=\"/admin/logout\"");
    assert_eq!(tokens.len(), if is_signed_in { posting } else { 0 }, "{answer:?}");
    assert!(tokens.iter().all(|token| token.len() == 43 && *token == tokens[0]), "{tokens:?}");
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        (
            "content-security-policy",
            "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ];
    for (name, value) in headers {
        assert_eq!(answer.header(name), value, "{name} of {answer:?}");
    }
}
