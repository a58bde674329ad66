//! Passwords: which are good enough, and argon2id at this machine's cost.

use std::time::{Duration, Instant};

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::{SaltString, rand_core::OsRng},
};

use tokio::sync::Semaphore;

use crate::base::{Error, Result, name::Username};

/// The least cost: 19 MiB, two passes, one lane (OWASP's minimum for argon2id).
pub const LEAST: Cost = Cost { memory_kib: 19_456, iterations: 2, parallelism: 1 };

/// How long one hash should take at least, so that guessing is slow.
const TARGET: Duration = Duration::from_millis(100);

/// The most passes the measurement may choose.
const MOST_ITERATIONS: u32 = 16;

/// One hash at a time: each takes 19 MiB, and whoever knocks a hundred times
/// must not fill a small machine.
static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);

/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// The commonest passwords of ten and more characters; the shorter ones are refused anyway.
const COMMONEST: &[&str] = &[
    "0123456789",
    "0987654321",
    "1111111111",
    "1122334455",
    "1234567890",
    "12345678910",
    "123456789a",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "987654321a",
    "a123456789",
    "aaaaaaaaaa",
    "abcd123456",
    "adminadmin",
    "administrator",
    "alexander1",
    "basketball",
    "changeme123",
    "football123",
    "helloworld",
    "iloveyou123",
    "letmein123",
    "letmeinplease",
    "liverpool1",
    "password00",
    "password01",
    "password11",
    "password12",
    "password123",
    "password1234",
    "password12345",
    "password123456",
    "passwordpassword",
    "princess123",
    "q1w2e3r4t5",
    "qazwsxedcrfv",
    "qwerty12345",
    "qwerty123456",
    "qwertyuiop",
    "qwertyuiop123",
    "raspberrypi",
    "raspberry123",
    "superman123",
    "test123456",
    "welcome123",
    "zaq12wsxcde3",
];

/// What one argon2id hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl Cost {
    /// Measures this machine: the fewest passes, at the least memory, that take
    /// a tenth of a second. Doubling overshoots to 200 ms at most, within the
    /// 100 to 250 ms that a person does not mind and a guesser does.
    ///
    /// Blocks for up to half a second; call it off the async threads.
    pub fn measure() -> Result<Self> {
        let mut cost = LEAST;
        loop {
            let start = Instant::now();
            hash_with(cost, "how long does this take")?;
            if start.elapsed() >= TARGET || cost.iterations >= MOST_ITERATIONS {
                return Ok(cost);
            }
            let needed = TARGET.as_micros() / start.elapsed().as_micros().max(1) + 1;
            let factor = u32::try_from(needed).unwrap_or(2).clamp(2, 8);
            cost.iterations = (cost.iterations * factor).min(MOST_ITERATIONS);
        }
    }

    fn argon2(self) -> Result<Argon2<'static>> {
        let params = Params::new(self.memory_kib, self.iterations, self.parallelism, None)
            .map_err(|e| Error::internal(format!("argon2 parameters: {e}")))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Refuses a password that is too easy to guess, naming the reason.
pub fn check_strength(password: &str, username: &Username) -> Result<()> {
    let refuse = |why: &str| Err(Error::invalid("password", why));
    match password.chars().count() {
        0..10 => return refuse("must have at least 10 characters"),
        10..=256 => {}
        _ => return refuse("must have at most 256 characters"),
    }
    let lower = password.to_lowercase();
    if lower == username.as_str() {
        return refuse("must not be the user name");
    }
    if COMMONEST.contains(&lower.as_str()) {
        return refuse("is one of the commonest passwords; choose another");
    }
    Ok(())
}

/// Hashes `password` on a blocking thread.
pub async fn hash(cost: Cost, password: String) -> Result<String> {
    off_thread(move || hash_with(cost, &password)).await
}

/// Whether `password` is the one behind `hash`, on a blocking thread. Without
/// a hash the work is done all the same, so that an unknown user takes as long.
pub async fn verify(cost: Cost, password: String, hash: Option<String>) -> Result<bool> {
    off_thread(move || {
        let Some(hash) = hash else {
            hash_with(cost, &password)?;
            return Ok(false);
        };
        let parsed = PasswordHash::new(&hash)
            .map_err(|e| Error::internal(format!("a stored password hash cannot be read: {e}")))?;
        Ok(cost.argon2()?.verify_password(password.as_bytes(), &parsed).is_ok())
    })
    .await
}

fn hash_with(cost: Cost, password: &str) -> Result<String> {
    let salt = SaltString::generate(&mut OsRng);
    let hash = cost.argon2()?.hash_password(password.as_bytes(), &salt);
    Ok(hash.map_err(|e| Error::internal(format!("argon2: {e}")))?.to_string())
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let place = tokio::time::timeout(PATIENCE, ONE_AT_A_TIME.acquire()).await;
    let Ok(Ok(_place)) = place else {
        return Err(Error::Busy { why: "too many sign-ins at once".to_owned(), retry_after: PATIENCE });
    };
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::internal_from("password hashing", e))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_refused_with_the_reason() -> Result<(), String> {
        let user: Username = "administrator-of-pi".parse()?;
        let why = |password: &str| check_strength(password, &user).err().map(|e| e.to_string());
        assert_eq!(why("short"), Some("password: must have at least 10 characters".into()));
        assert!(why(&"x".repeat(257)).is_some());
        assert!(why("Administrator-of-Pi").is_some_and(|w| w.contains("user name")));
        assert!(why("Password123").is_some_and(|w| w.contains("commonest")));
        assert_eq!(why("correct horse battery"), None);
        Ok(())
    }

    #[tokio::test]
    async fn only_the_right_password_verifies() -> Result<()> {
        let hashed = hash(LEAST, "correct horse".into()).await?;
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(verify(LEAST, "correct horse".into(), Some(hashed.clone())).await?);
        assert!(!verify(LEAST, "wrong horse".into(), Some(hashed)).await?);
        assert!(!verify(LEAST, "correct horse".into(), None).await?);
        Ok(())
    }

    #[test]
    fn the_measured_cost_is_never_below_the_least() -> Result<()> {
        let cost = Cost::measure()?;
        assert!(cost.memory_kib >= LEAST.memory_kib && cost.iterations >= LEAST.iterations);
        Ok(())
    }
}
