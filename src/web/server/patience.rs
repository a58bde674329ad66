//! How long a connection may keep us waiting.
//!
//! hyper bounds the whole wait for a head with one timer, from the end of the
//! answer before. A person's keep-alive connection may rest longer than a head
//! may take to arrive, so the second bound is kept here: it starts with the
//! first byte of a head. The time of bodies is bounded where they are read; an
//! answer that is not taken off our hands is bounded here too.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

/// Whether a request of the connection is being handled; set around each by the server.
pub(super) type Handling = Arc<AtomicBool>;

/// A connection that does not wait for ever.
pub(super) struct Patient<S> {
    stream: S,
    handling: Handling,
    /// From the first byte of a head to its last.
    head: Deadline,
    /// From the moment the other side takes no more to the moment it does.
    write: Deadline,
}

/// A time by which something must have happened, while it is awaited.
struct Deadline {
    limit: Duration,
    at: Option<Instant>,
    /// Made when somebody really waits: most heads arrive in one piece.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    /// Bounds the arrival of a head by `head`, and the rest of an answer by `write`.
    pub(super) fn new(stream: S, handling: Handling, head: Duration, write: Duration) -> Self {
        Self { stream, handling, head: Deadline::new(head), write: Deadline::new(write) }
    }
}

impl Deadline {
    fn new(limit: Duration) -> Self {
        Self { limit, at: None, timer: None }
    }

    fn start(&mut self) {
        if self.at.is_none() {
            self.at = Some(Instant::now() + self.limit);
        }
    }

    fn clear(&mut self) {
        (self.at, self.timer) = (None, None);
    }

    /// An error once the time is over; pending, and woken then, until it is.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(at) = self.at else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the other side was too slow"))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.handling.load(Ordering::Relaxed) {
            this.head.clear();
            return Pin::new(&mut this.stream).poll_read(cx, buffer);
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if read.is_pending() {
            return this.head.poll(cx).map(Err);
        }
        if buffer.filled().len() > before {
            this.head.start();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> Patient<S> {
    fn written<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write.clear();
            return written;
        }
        self.write.start();
        self.write.poll(cx).map(Err)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bytes);
        this.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        this.written(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const HEAD: Duration = Duration::from_secs(30);
    const WRITE: Duration = Duration::from_secs(60);

    fn pair() -> (tokio::io::DuplexStream, Patient<tokio::io::DuplexStream>, Handling) {
        let handling = Handling::default();
        let (theirs, ours) = tokio::io::duplex(4);
        (theirs, Patient::new(ours, handling.clone(), HEAD, WRITE), handling)
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_must_end_in_time_once_it_has_begun() -> io::Result<()> {
        let (mut theirs, mut ours, _) = pair();
        theirs.write_all(b"G").await?;
        let start = Instant::now();
        let read = async {
            ours.read_u8().await?;
            ours.read_u8().await
        };
        assert_eq!(read.await.err().map(|e| e.kind()), Some(io::ErrorKind::TimedOut));
        assert_eq!(start.elapsed().as_secs(), HEAD.as_secs());
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn before_its_first_byte_and_while_a_request_is_handled_no_head_is_late() -> io::Result<()> {
        let (mut theirs, mut ours, handling) = pair();
        let resting = tokio::time::timeout(HEAD * 3, ours.read_u8()).await;
        assert!(resting.is_err(), "an idle connection is hyper's to end");
        theirs.write_all(b"G").await?;
        ours.read_u8().await?;
        handling.store(true, Ordering::Relaxed);
        let body = tokio::time::timeout(HEAD * 3, ours.read_u8()).await;
        assert!(body.is_err(), "a body has a bound of its own");
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_no_answer_is_left() {
        let (_theirs, mut ours, _) = pair();
        let start = Instant::now();
        let written = ours.write_all(b"more than fits").await;
        assert_eq!(written.err().map(|e| e.kind()), Some(io::ErrorKind::TimedOut));
        assert_eq!(start.elapsed().as_secs(), WRITE.as_secs());
    }
}
