//! What the tests share. Nothing here imitates a part of PiCloud: it starts the real ones.

pub mod app;
pub mod browser;
pub mod cable;
pub mod http;
pub mod postgres;

use std::{future::Future, time::Duration};

/// The longest any test waits for what must happen.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// The program under test.
pub const PICLOUD: &str = env!("CARGO_BIN_EXE_picloud");

/// Waits until `look` finds something, and fails naming `what` if it never does.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    match tokio::time::timeout(DEADLINE, found).await {
        Ok(found) => found,
        Err(late) => panic!("waited in vain: {what}: {late}"),
    }
}
