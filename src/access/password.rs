//! Passwords: which are good enough, and argon2id at this machine's cost.

use std::time::Duration;

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::{SaltString, rand_core::OsRng},
};

use nix::time::{ClockId, clock_gettime};
use rand::TryRngCore as _;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::base::{Error, Result, name::Username};

/// The least cost: 19 MiB, two passes, one lane (OWASP's minimum for argon2id).
pub const LEAST: Cost = Cost { memory_kib: 19_456, iterations: 2, parallelism: 1 };

/// How long one hash should take at least, so that guessing is slow.
const TARGET: Duration = Duration::from_millis(100);

/// What the measurement aims at, so that what varies stays above that.
const AIM: Duration = Duration::from_millis(125);

/// The most passes the measurement may choose.
const MOST_ITERATIONS: u32 = 64;

/// One hash at a time: each takes 19 MiB, and whoever knocks a hundred times
/// must not fill a small machine.
static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);

/// How long a sign-in waits for its turn: twenty at once all get theirs.
const PATIENCE: Duration = Duration::from_secs(10);

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
    /// a tenth of a second, within the 100 to 250 ms that a person does not mind
    /// and a guesser does.
    ///
    /// Blocks for up to a second; call it off the async threads.
    pub fn measure() -> Result<Self> {
        let mut cost = LEAST;
        loop {
            // Twice, and the shorter counts: what else starts now must not make guessing cheap.
            let took = took(cost)?.min(took(cost)?);
            if took >= TARGET || cost.iterations >= MOST_ITERATIONS {
                return Ok(cost);
            }
            let needed = u128::from(cost.iterations) * AIM.as_micros() / took.as_micros().max(1);
            let needed = u32::try_from(needed).unwrap_or(MOST_ITERATIONS);
            cost.iterations = needed.clamp(cost.iterations + 1, MOST_ITERATIONS);
        }
    }

    /// A hash of this cost that is no password's: its 32 bytes are zero.
    fn nobodys_hash(self) -> String {
        let Self { memory_kib, iterations, parallelism } = self;
        let (salt, hash) = ("A".repeat(22), "A".repeat(43));
        format!("$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism}${salt}${hash}")
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

/// What passwords that are made up consist of: nothing that looks like something else.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Makes a password up: a hundred random bits, in groups a person can copy.
pub fn generate() -> Result<String> {
    let mut random = [0u8; 20];
    rand::rngs::OsRng
        .try_fill_bytes(&mut random)
        .map_err(|e| Error::internal_from("no random numbers", e))?;
    let letters: String = random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    Ok([&letters[..5], &letters[5..10], &letters[10..15], &letters[15..]].join("-"))
}

/// Leave to hash: one has it at a time.
#[derive(Debug)]
pub struct Turn {
    _place: SemaphorePermit<'static>,
}

impl Turn {
    /// Waits for one's turn; one that does not come soon is refused.
    pub async fn take() -> Result<Self> {
        let place = tokio::time::timeout(PATIENCE, ONE_AT_A_TIME.acquire()).await;
        let busy = || Error::Busy { why: "too many sign-ins at once".to_owned(), retry_after: PATIENCE };
        place.ok().and_then(std::result::Result::ok).map(|place| Self { _place: place }).ok_or_else(busy)
    }

    /// Works on a blocking thread. The turn goes with the work, which nobody can
    /// call off: who hangs up gives no place to another while it goes on.
    async fn use_for<T: Send + 'static>(
        self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<(T, Self)> {
        let work = move || {
            #[cfg(test)]
            let _counted = tests::Hashing::begun();
            work().map(|done| (done, self))
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| Error::internal_from("password hashing", e))?
    }

    /// Whether `password` is the one behind `hash`. Without a hash it is compared
    /// with one that no password has, so that an unknown user is as much work.
    pub async fn verify(self, cost: Cost, password: String, hash: Option<String>) -> Result<(bool, Self)> {
        let hash = hash.unwrap_or_else(|| cost.nobodys_hash());
        let (verdict, turn) = self.use_for(move || verdict(&password, &hash)).await?;
        Ok((verdict.right, turn))
    }
}

/// Hashes `password` on a blocking thread.
pub async fn hash(cost: Cost, password: String) -> Result<String> {
    Ok(Turn::take().await?.use_for(move || hash_with(cost, &password)).await?.0)
}

/// Whether `password` is the one behind `hash`, on a blocking thread.
pub async fn verify(cost: Cost, password: String, hash: Option<String>) -> Result<bool> {
    Ok(Turn::take().await?.verify(cost, password, hash).await?.0)
}

/// What came of comparing a password with a hash, and what that took.
struct Verdict {
    right: bool,
    #[cfg_attr(not(test), expect(dead_code, reason = "tests compare the work of known and unknown users"))]
    work: Cost,
}

fn verdict(password: &str, hash: &str) -> Result<Verdict> {
    let unreadable =
        |e: &dyn std::fmt::Display| Error::internal(format!("a stored password hash cannot be read: {e}"));
    let parsed = PasswordHash::new(hash).map_err(|e| unreadable(&e))?;
    // The hash says what it cost, whatever one made now would.
    let params = Params::try_from(&parsed).map_err(|e| unreadable(&e))?;
    let work =
        Cost { memory_kib: params.m_cost(), iterations: params.t_cost(), parallelism: params.p_cost() };
    let right = work.argon2()?.verify_password(password.as_bytes(), &parsed).is_ok();
    Ok(Verdict { right, work })
}

/// How long a hash keeps a core busy, whatever else runs meanwhile.
fn took(cost: Cost) -> Result<Duration> {
    let start = busy()?;
    hash_with(cost, "how long does this take")?;
    Ok(busy()?.saturating_sub(start))
}

/// How long this thread has kept a core busy.
fn busy() -> Result<Duration> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    Ok(time.map_err(|e| Error::internal_from("the time a thread has run cannot be read", e))?.into())
}

fn hash_with(cost: Cost, password: &str) -> Result<String> {
    let salt = SaltString::generate(&mut OsRng);
    let hash = cost.argon2()?.hash_password(password.as_bytes(), &salt);
    Ok(hash.map_err(|e| Error::internal(format!("argon2: {e}")))?.to_string())
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// How many hash now, and how many did at once at most.
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);

    /// One that hashes.
    pub(super) struct Hashing;

    impl Hashing {
        pub(super) fn begun() -> Self {
            MOST.fetch_max(NOW.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            Self
        }
    }

    impl Drop for Hashing {
        fn drop(&mut self) {
            NOW.fetch_sub(1, Ordering::Relaxed);
        }
    }

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

    #[test]
    fn a_password_that_is_made_up_is_strong_and_another_each_time() -> Result<()> {
        let user = Username::from_str("ada").map_err(Error::internal)?;
        let (one, other) = (generate()?, generate()?);
        assert!(one != other && one.len() == 23, "{one}");
        check_strength(&one, &user)
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
    fn the_measured_cost_is_a_tenth_of_a_second_or_two_and_never_below_the_least() -> Result<()> {
        let cost = Cost::measure()?;
        assert!(cost.memory_kib >= LEAST.memory_kib && cost.iterations >= LEAST.iterations);
        // The shortest of some: whatever else runs on this machine only lengthens one.
        let shortest = (0..5).map(|_| took(cost)).collect::<Result<Vec<_>>>()?.into_iter().min();
        let shortest = shortest.unwrap_or_default();
        let floor = cost.iterations == LEAST.iterations;
        assert!(shortest >= TARGET * 4 / 5, "{cost:?} takes {shortest:?}");
        assert!(floor || shortest <= Duration::from_millis(250), "{cost:?} takes {shortest:?}");
        Ok(())
    }

    #[test]
    fn an_unknown_user_is_as_much_work_as_a_known_one() -> Result<()> {
        for cost in [LEAST, Cost { memory_kib: 20_000, iterations: 3, parallelism: 1 }] {
            let known = verdict("wrong horse", &hash_with(cost, "correct horse")?)?;
            let unknown = verdict("wrong horse", &cost.nobodys_hash())?;
            assert_eq!((known.right, unknown.right), (false, false));
            assert_eq!((known.work, unknown.work), (cost, cost));
        }
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn twenty_at_once_take_turns_even_when_nobody_waits_any_more() -> Result<()> {
        let hashed = hash_with(LEAST, "correct horse")?;
        let try_it = || verify(LEAST, "correct horse".into(), Some(hashed.clone()));
        for _ in 0..20 {
            // Polled until it has its turn or is in the queue, then given up.
            let _ = tokio::time::timeout(Duration::from_millis(1), try_it()).await;
        }
        let twenty = futures_util::future::try_join_all((0..20).map(|_| try_it())).await?;
        assert!(twenty.iter().all(|right| *right));
        assert_eq!(MOST.load(Ordering::Relaxed), 1, "one hash at a time");
        Ok(())
    }
}
