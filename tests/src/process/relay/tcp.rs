//! A relay for streams.
//!
//! A cut closes every connection with a reset and has new ones refused, while the port stays ours.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpSocket, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep_until},
};

use super::{Counts, Direction, Faults, udp::time_for};

/// Pieces of a stream on the way; a sender waits when there are more.
const PIECES_ON_THE_WAY: usize = 64;
const PIECE_BYTES: usize = 16 * 1024;
const BACKLOG: u32 = 1_024;
/// How long another program may hold our port in the moment between two sockets.
const PORT_BACK_WITHIN: Duration = Duration::from_secs(5);

/// A relay for TCP on loopback. Ends, with its connections, when dropped.
#[derive(Debug)]
pub struct TcpRelay {
    address: SocketAddr,
    line: Arc<Line>,
    mode: watch::Sender<Mode>,
    reached: watch::Receiver<Mode>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Open,
    Cut,
}

#[derive(Debug)]
struct Line {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    target: SocketAddr,
    faults: Faults,
    busy_until: [Option<Instant>; 2],
    /// Bytes that still pass in each direction before the line cuts itself
    bytes_left: [Option<u64>; 2],
    counts: Counts,
}

impl TcpRelay {
    /// Begins to hand on between a free loopback port and `target`.
    ///
    /// # Errors
    /// When no socket can be had.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), target).await
    }

    /// Begins to hand on between this address and `target`.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn start_at(listen: SocketAddr, target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let line = Arc::new(Line {
            state: Mutex::new(State {
                target,
                faults: Faults::NONE,
                busy_until: [None; 2],
                bytes_left: [None; 2],
                counts: Counts::default(),
            }),
        });
        let (mode, wanted) = watch::channel(Mode::Open);
        let (report, reached) = watch::channel(Mode::Open);
        let switch = mode.clone();
        let task = tokio::spawn(run(listener, Arc::clone(&line), wanted, report, switch));
        Ok(Self {
            address,
            line,
            mode,
            reached,
            task,
        })
    }

    /// Where clients connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resets every connection and refuses new ones. Returns when that is so.
    pub async fn cut(&self) {
        self.switch_to(Mode::Cut).await;
    }

    /// Accepts connections again. Returns when that is so.
    pub async fn restore(&self) {
        self.line.state().bytes_left = [None; 2];
        self.switch_to(Mode::Open).await;
    }

    async fn switch_to(&self, mode: Mode) {
        self.mode.send_replace(mode);
        let mut reached = self.reached.clone();
        // An error says that the relay has ended, and with it all connections.
        drop(reached.wait_for(|reached| *reached == mode).await);
    }

    /// Cuts the line by itself once so many more bytes went this way (F-8).
    pub fn cut_after(&self, direction: Direction, bytes: u64) {
        self.line.state().bytes_left[direction as usize] = Some(bytes);
    }

    /// Ready when the line is cut, by itself or by hand.
    pub async fn until_cut(&self) {
        let mut reached = self.reached.clone();
        // An error says that the relay has ended, which is a cut as well.
        drop(reached.wait_for(|reached| *reached == Mode::Cut).await);
    }

    /// What happens to what is sent from now on: `delay` and `rate_bytes`.
    pub fn set_faults(&self, faults: Faults) {
        self.line.state().faults = faults;
    }

    /// Where connections that are made from now on go.
    pub fn set_target(&self, target: SocketAddr) {
        self.line.state().target = target;
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.line.state().counts
    }
}

impl Drop for TcpRelay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        // Plain values that are whole after every statement: a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn due(&self, direction: Direction, size_bytes: usize) -> Instant {
        let mut state = self.state();
        let mut sent = Instant::now();
        if let Some(rate) = state.faults.rate_bytes {
            let begin = state.busy_until[direction as usize].map_or(sent, |busy| busy.max(sent));
            sent = begin + time_for(size_bytes, rate);
            state.busy_until[direction as usize] = Some(sent);
        }
        sent + state.faults.delay
    }

    /// How many of these bytes still pass, and whether the line is to be cut after them.
    fn allow(&self, direction: Direction, size_bytes: usize) -> (usize, bool) {
        let mut state = self.state();
        let Some(left) = state.bytes_left[direction as usize] else {
            return (size_bytes, false);
        };
        let allowed = usize::try_from(left).map_or(size_bytes, |left| left.min(size_bytes));
        let left = left - allowed as u64;
        state.bytes_left[direction as usize] = Some(left);
        (allowed, left == 0)
    }

    fn count(&self, size_bytes: usize) {
        let mut state = self.state();
        state.counts.passed += 1;
        state.counts.bytes += size_bytes as u64;
    }
}

async fn run(
    listener: TcpListener,
    line: Arc<Line>,
    mut wanted: watch::Receiver<Mode>,
    report: watch::Sender<Mode>,
    switch: watch::Sender<Mode>,
) {
    let Ok(address) = listener.local_addr() else {
        return;
    };
    let mut listener = listener;
    loop {
        serve_until_cut(&listener, &line, &mut wanted, &switch).await;
        // A socket that is bound and does not listen refuses connections and keeps the port.
        drop(listener);
        let Ok(socket) = bind_again(address).await else {
            return;
        };
        report.send_replace(Mode::Cut);
        if wanted.wait_for(|mode| *mode == Mode::Open).await.is_err() {
            return;
        }
        let Ok(listening) = socket.listen(BACKLOG) else {
            return;
        };
        listener = listening;
        report.send_replace(Mode::Open);
    }
}

/// Returns with all connections reset.
async fn serve_until_cut(
    listener: &TcpListener,
    line: &Arc<Line>,
    wanted: &mut watch::Receiver<Mode>,
    switch: &watch::Sender<Mode>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            cut = wanted.wait_for(|mode| *mode == Mode::Cut) => {
                drop(cut);
                break;
            }
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    connections.spawn(relay(client, Arc::clone(line), switch.clone()));
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    connections.shutdown().await;
}

async fn bind_again(address: SocketAddr) -> io::Result<TcpSocket> {
    let deadline = Instant::now() + PORT_BACK_WITHIN;
    loop {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        match socket.bind(address) {
            Ok(()) => return Ok(socket),
            Err(error) if Instant::now() >= deadline => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

/// The two streams of a connection. Unless both ways came to their end, dropping it resets both.
struct Connection {
    client: TcpStream,
    upstream: TcpStream,
    has_ended: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.has_ended {
            reset(&self.client);
            reset(&self.upstream);
        }
    }
}

/// Has closing this stream say that the connection broke, not that it ended.
fn reset(stream: &TcpStream) {
    // Where it cannot be said the stream just ends, which breaks it as well.
    drop(stream.set_zero_linger());
}

async fn relay(client: TcpStream, line: Arc<Line>, switch: watch::Sender<Mode>) {
    let target = line.state().target;
    let Ok(upstream) = TcpStream::connect(target).await else {
        reset(&client);
        return;
    };
    for stream in [&client, &upstream] {
        // Without it small pieces wait for each other, which is slower and nothing else.
        drop(stream.set_nodelay(true));
    }
    let mut connection = Connection {
        client,
        upstream,
        has_ended: false,
    };
    let (from_client, to_client) = connection.client.split();
    let (from_target, to_target) = connection.upstream.split();
    let onward = carry(from_client, to_target, &line, Direction::ToTarget, &switch);
    let back = carry(
        from_target,
        to_client,
        &line,
        Direction::FromTarget,
        &switch,
    );
    let ended = tokio::try_join!(onward, back);
    connection.has_ended = ended.is_ok();
}

/// Hands on one direction until its end, which it hands on too.
async fn carry(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    line: &Line,
    direction: Direction,
    switch: &watch::Sender<Mode>,
) -> io::Result<()> {
    let (send, mut pieces) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES_ON_THE_WAY);
    let read = async move {
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            let size = from.read(&mut buffer).await?;
            if size == 0 {
                return Ok(());
            }
            let due = line.due(direction, size);
            if send.send((due, buffer[..size].to_vec())).await.is_err() {
                return Ok(());
            }
        }
    };
    let write = async move {
        while let Some((due, piece)) = pieces.recv().await {
            sleep_until(due).await;
            let (allowed, is_last) = line.allow(direction, piece.len());
            to.write_all(&piece[..allowed]).await?;
            line.count(allowed);
            if is_last {
                // The receiver must get these bytes before the reset throws away what is unread,
                // so the goodbye goes first; the cut follows for all.
                to.shutdown().await?;
                switch.send_replace(Mode::Cut);
                std::future::pending::<()>().await;
            }
        }
        to.shutdown().await
    };
    tokio::try_join!(read, write).map(|((), ())| ())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    drop(tokio::io::copy(&mut read, &mut write).await);
                });
            }
        });
        address
    }

    async fn ask(stream: &mut TcpStream, question: &[u8]) -> io::Result<Vec<u8>> {
        stream.write_all(question).await?;
        let mut answer = vec![0; question.len()];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn a_stream_arrives_whole_with_its_end() {
        let relay = TcpRelay::start(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        let text: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        let (mut read, mut write) = stream.split();
        let sending = async {
            write.write_all(&text).await?;
            write.shutdown().await
        };
        let mut answer = Vec::new();
        let (sent, received) = tokio::join!(sending, read.read_to_end(&mut answer));
        sent.unwrap();
        received.unwrap();
        assert!(answer == text);
        assert_eq!(relay.counts().bytes, 2 * text.len() as u64);
    }

    #[tokio::test]
    async fn a_cut_ends_connections_and_refuses_new_ones() {
        let relay = TcpRelay::start(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        assert_eq!(ask(&mut stream, b"hello").await.unwrap(), b"hello");
        relay.cut().await;
        assert!(ask(&mut stream, b"hello").await.is_err());
        let refused = TcpStream::connect(relay.address()).await;
        assert_eq!(
            refused.unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );

        for _ in 0..20 {
            relay.restore().await;
            let mut stream = TcpStream::connect(relay.address()).await.unwrap();
            assert_eq!(ask(&mut stream, b"again").await.unwrap(), b"again");
            relay.cut().await;
        }
    }

    #[tokio::test]
    async fn a_line_cuts_itself_after_the_byte_asked_for() {
        let relay = TcpRelay::start(echo().await).await.unwrap();
        for bytes in [1_usize, 3, 7] {
            relay.restore().await;
            relay.cut_after(Direction::FromTarget, bytes as u64);
            let mut stream = TcpStream::connect(relay.address()).await.unwrap();
            stream.write_all(b"0123456789").await.unwrap();
            let mut answer = vec![0; bytes];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(answer, &b"0123456789"[..bytes]);
            assert!(matches!(stream.read(&mut [0; 1]).await, Ok(0) | Err(_)));
            relay.until_cut().await;
            assert!(TcpStream::connect(relay.address()).await.is_err());
        }
    }

    #[tokio::test]
    async fn delay_and_rate_take_their_time() {
        let relay = TcpRelay::start(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        relay.set_faults(Faults {
            delay: Duration::from_millis(40),
            ..Faults::NONE
        });
        let begin = Instant::now();
        ask(&mut stream, b"x").await.unwrap();
        assert!(
            begin.elapsed() >= Duration::from_millis(80),
            "{:?}",
            begin.elapsed()
        );

        relay.set_faults(Faults {
            rate_bytes: Some(50_000),
            ..Faults::NONE
        });
        let begin = Instant::now();
        ask(&mut stream, &[7; 10_000]).await.unwrap();
        assert!(
            begin.elapsed() >= Duration::from_millis(200),
            "{:?}",
            begin.elapsed()
        );
    }

    #[tokio::test]
    async fn a_target_that_comes_later_is_found() {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nowhere = gone.local_addr().unwrap();
        drop(gone);
        let relay = TcpRelay::start(nowhere).await.unwrap();
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        assert!(ask(&mut stream, b"x").await.is_err());
        relay.set_target(echo().await);
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        assert_eq!(ask(&mut stream, b"x").await.unwrap(), b"x");
    }
}
