//! Requests whose sender loses what they may while the body is still on its way.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    matrix::sign_in,
    support::{
        app::{PASSWORD, TestApp},
        http::Person,
    },
};

/// A request that has been let in and whose body is awaited.
struct Held {
    stream: TcpStream,
    body: String,
}

impl Held {
    /// Sends all but the body, and waits until it is asked for: by then the caller has been judged.
    async fn new(test: &TestApp, who: &Person, (method, path): (&str, &str), body: Value) -> Self {
        let body = body.to_string();
        let head = format!(
            "{method} /api/v1/admin/{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
            test.address,
            who.token().expect("a token"),
            body.len()
        );
        let mut stream = TcpStream::connect(test.address).await.expect("a connection");
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).await.expect("the body is asked for");
        assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
        Self { stream, body }
    }

    /// Sends the body; the status of the answer.
    async fn finish(mut self) -> String {
        self.stream.write_all(self.body.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).await.expect("an answer");
        answer.split_whitespace().nth(1).unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn who_is_demoted_meanwhile_makes_nobody_an_owner() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let other = owner.user("eve", "owner").await;
    let eve = sign_in(&test, "eve").await;
    let new = json!({"username": "backdoor", "password": PASSWORD, "instance_role": "owner"});
    let held = Held::new(&test, &eve, ("POST", "users"), new).await;
    let path = format!("/api/v1/admin/users/{other}");
    assert_eq!(owner.patch(&path, json!({"instance_role": "member"})).await.status, 200);
    assert_eq!(held.finish().await, "401", "a change of the role ends the session");
    let users = owner.get("/api/v1/admin/users").await;
    assert_eq!(users.json["items"].as_array().map(Vec::len), Some(2), "{users:?}");
}

#[tokio::test]
async fn a_session_that_has_ended_meanwhile_makes_no_key() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let lost = sign_in(&test, "ada").await;
    let key = json!({"name": "mine", "scopes": ["script:read"]});
    let held = Held::new(&test, &lost, ("POST", "api-keys"), key).await;
    let me = owner.get("/api/v1/auth/me").await.json["user"]["id"].clone();
    let path = format!("/api/v1/admin/users/{}/password", me.as_str().expect("an id"));
    let change = json!({"password": "another correct horse", "current_password": PASSWORD});
    assert_eq!(owner.post(&path, change).await.status, 204);
    assert_eq!(held.finish().await, "401");
    assert_eq!(owner.get("/api/v1/admin/api-keys").await.json["items"], json!([]));
}

#[tokio::test]
async fn a_member_who_is_let_go_meanwhile_does_not_come_back() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    owner.app("garden").await;
    let grace = owner.user("grace", "member").await;
    let path = format!("/api/v1/admin/apps/garden/members/{grace}");
    let set = owner.request("PUT", &path).json(&json!({"role": "app_admin"}));
    assert_eq!(set.send().await.expect("an answer").status(), 200);
    let session = sign_in(&test, "grace").await;
    let again = ("PUT", format!("apps/garden/members/{grace}"));
    let held = Held::new(&test, &session, (again.0, &again.1), json!({"role": "app_admin"})).await;
    assert_eq!(owner.delete(&path).await.status, 204);
    assert_eq!(held.finish().await, "403");
    session.get("/api/v1/admin/apps/garden").await.problem(404);
}
