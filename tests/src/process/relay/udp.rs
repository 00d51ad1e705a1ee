//! A relay for datagrams.
//!
//! Each client address gets a socket of its own towards the target, so that the target sees as many
//! peers as there are. Whatever cannot be handed on at once is dropped, as a router would.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    net::UdpSocket,
    sync::mpsc::{Receiver, Sender, channel},
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep_until},
};

use super::{Counts, Dice, Direction, Faults};

/// Datagrams on the way in one direction; more are dropped.
const MOST_ON_THE_WAY: usize = 8_192;
const MOST_CLIENTS: usize = 4_096;
/// The largest datagram that UDP over IPv4 has.
const LARGEST_BYTES: usize = 65_535;

/// A relay for UDP on loopback. Ends when dropped.
#[derive(Debug)]
pub struct UdpRelay {
    address: SocketAddr,
    line: Arc<Line>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Line {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    target: SocketAddr,
    faults: Faults,
    dice: Dice,
    is_cut_to_target: bool,
    is_cut_from_target: bool,
    /// When the line has handed on everything so far, in each direction
    busy_until: [Option<Instant>; 2],
    on_the_way: [usize; 2],
    counts: Counts,
}

/// One copy of a datagram, and when and where it comes out.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Parcel {
    due: Instant,
    number: u64,
    to: SocketAddr,
    bytes: Vec<u8>,
}

impl UdpRelay {
    /// Begins to hand on between a free loopback port and `target`.
    ///
    /// # Errors
    /// When no socket can be had.
    pub async fn start(target: SocketAddr, seed: u64) -> io::Result<Self> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), target, seed).await
    }

    /// Begins to hand on between this address and `target`.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn start_at(listen: SocketAddr, target: SocketAddr, seed: u64) -> io::Result<Self> {
        let socket = Arc::new(UdpSocket::bind(listen).await?);
        let address = socket.local_addr()?;
        let line = Arc::new(Line {
            state: Mutex::new(State {
                target,
                faults: Faults::NONE,
                dice: Dice::new(seed),
                is_cut_to_target: false,
                is_cut_from_target: false,
                busy_until: [None; 2],
                on_the_way: [0; 2],
                counts: Counts::default(),
            }),
        });
        let task = tokio::spawn(run(socket, Arc::clone(&line)));
        Ok(Self {
            address,
            line,
            task,
        })
    }

    /// Where clients send to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Drops everything in both directions, also what is on the way.
    pub fn cut(&self) {
        let mut state = self.line.state();
        (state.is_cut_to_target, state.is_cut_from_target) = (true, true);
    }

    /// Drops everything that goes one way only (F-6).
    pub fn cut_one_way(&self, direction: Direction) {
        *self.line.state().cut_mark(direction) = true;
    }

    /// Hands on again in both directions.
    pub fn restore(&self) {
        let mut state = self.line.state();
        (state.is_cut_to_target, state.is_cut_from_target) = (false, false);
    }

    /// What happens to datagrams that come from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.line.state().faults = faults;
    }

    /// Where datagrams of clients that are new from now on go.
    pub fn set_target(&self, target: SocketAddr) {
        self.line.state().target = target;
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.line.state().counts
    }
}

impl Drop for UdpRelay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        // Plain values that are whole after every statement: a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When copies of a datagram that came now are due; none when it is dropped.
    fn admit(&self, direction: Direction, size_bytes: usize) -> Vec<Instant> {
        let mut state = self.state();
        let now = Instant::now();
        let faults = state.faults;
        let fate = state.dice.fate(&faults);
        let way = direction as usize;
        let is_full = state.on_the_way[way] + fate.len() > MOST_ON_THE_WAY;
        if fate.is_empty() || is_full || *state.cut_mark(direction) {
            state.counts.dropped += 1;
            return Vec::new();
        }
        let mut sent = now;
        if let Some(rate) = faults.rate_bytes {
            let begin = state.busy_until[way].map_or(now, |busy| busy.max(now));
            sent = begin + time_for(size_bytes, rate);
            state.busy_until[way] = Some(sent);
        }
        state.on_the_way[way] += fate.len();
        fate.into_iter().map(|after| sent + after).collect()
    }

    /// Whether a parcel that is due comes out.
    fn release(&self, direction: Direction, size_bytes: usize) -> bool {
        let mut state = self.state();
        state.on_the_way[direction as usize] -= 1;
        if *state.cut_mark(direction) {
            state.counts.dropped += 1;
            return false;
        }
        state.counts.passed += 1;
        state.counts.bytes += size_bytes as u64;
        true
    }
}

impl State {
    fn cut_mark(&mut self, direction: Direction) -> &mut bool {
        match direction {
            Direction::ToTarget => &mut self.is_cut_to_target,
            Direction::FromTarget => &mut self.is_cut_from_target,
        }
    }
}

/// How long so many bytes take at so many bytes per second.
pub(super) fn time_for(size_bytes: usize, rate_bytes: u64) -> Duration {
    Duration::from_nanos((size_bytes as u64).saturating_mul(1_000_000_000) / rate_bytes.max(1))
}

struct Client {
    upstream: Arc<UdpSocket>,
    parcels: Sender<Parcel>,
    last_used: u64,
    tasks: JoinSet<()>,
}

async fn run(listener: Arc<UdpSocket>, line: Arc<Line>) {
    let mut clients: BTreeMap<SocketAddr, Client> = BTreeMap::new();
    let mut buffer = vec![0; LARGEST_BYTES];
    let mut number = 0;
    loop {
        // An error here is about a datagram sent before (nobody listens there): the next may come.
        let Ok((size, from)) = listener.recv_from(&mut buffer).await else {
            continue;
        };
        number += 1;
        if !clients.contains_key(&from) {
            make_room(&mut clients);
            match Client::open(from, Arc::clone(&listener), &line).await {
                Ok(client) => clients.insert(from, client),
                Err(_) => continue,
            };
        }
        let Some(client) = clients.get_mut(&from) else {
            continue;
        };
        client.last_used = number;
        let Ok(to) = client.upstream.peer_addr() else {
            continue;
        };
        for due in line.admit(Direction::ToTarget, size) {
            let parcel = Parcel {
                due,
                number,
                to,
                bytes: buffer[..size].to_vec(),
            };
            hand_over(&client.parcels, parcel, &line, Direction::ToTarget);
        }
    }
}

fn make_room(clients: &mut BTreeMap<SocketAddr, Client>) {
    if clients.len() >= MOST_CLIENTS {
        let oldest = clients.iter().min_by_key(|(_, client)| client.last_used);
        if let Some(address) = oldest.map(|(address, _)| *address) {
            clients.remove(&address);
        }
    }
}

fn hand_over(parcels: &Sender<Parcel>, parcel: Parcel, line: &Line, direction: Direction) {
    if parcels.try_send(parcel).is_err() {
        let mut state = line.state();
        state.on_the_way[direction as usize] -= 1;
        state.counts.dropped += 1;
    }
}

impl Client {
    async fn open(
        from: SocketAddr,
        listener: Arc<UdpSocket>,
        line: &Arc<Line>,
    ) -> io::Result<Self> {
        let target = line.state().target;
        let upstream = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        upstream.connect(target).await?;
        let (parcels, to_target) = channel(MOST_ON_THE_WAY);
        let (answers, from_target) = channel(MOST_ON_THE_WAY);
        let mut tasks = JoinSet::new();
        let onward = Arc::clone(&upstream);
        let line_on = Arc::clone(line);
        tasks.spawn(deliver(
            to_target,
            onward,
            true,
            line_on,
            Direction::ToTarget,
        ));
        let line_back = Arc::clone(line);
        tasks.spawn(deliver(
            from_target,
            listener,
            false,
            line_back,
            Direction::FromTarget,
        ));
        tasks.spawn(receive_answers(
            Arc::clone(&upstream),
            from,
            answers,
            Arc::clone(line),
        ));
        Ok(Self {
            upstream,
            parcels,
            last_used: 0,
            tasks,
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.tasks.abort_all();
    }
}

async fn receive_answers(
    upstream: Arc<UdpSocket>,
    client: SocketAddr,
    parcels: Sender<Parcel>,
    line: Arc<Line>,
) {
    let mut buffer = vec![0; LARGEST_BYTES];
    let mut number = 0;
    loop {
        // Refused: the target is down just now, and may come back.
        let Ok(size) = upstream.recv(&mut buffer).await else {
            continue;
        };
        number += 1;
        for due in line.admit(Direction::FromTarget, size) {
            let parcel = Parcel {
                due,
                number,
                to: client,
                bytes: buffer[..size].to_vec(),
            };
            hand_over(&parcels, parcel, &line, Direction::FromTarget);
        }
    }
}

/// Sends parcels when they are due, those due at once in the order in which they came.
async fn deliver(
    mut parcels: Receiver<Parcel>,
    socket: Arc<UdpSocket>,
    is_connected: bool,
    line: Arc<Line>,
    direction: Direction,
) {
    let mut waiting: BinaryHeap<Reverse<Parcel>> = BinaryHeap::new();
    loop {
        let next_due = waiting.peek().map(|Reverse(parcel)| parcel.due);
        tokio::select! {
            biased;
            () = sleep_until(next_due.unwrap_or_else(Instant::now)), if next_due.is_some() => {
                let Some(Reverse(parcel)) = waiting.pop() else { continue };
                if !line.release(direction, parcel.bytes.len()) {
                    continue;
                }
                // A send that fails is a datagram that does not arrive.
                let sent = if is_connected {
                    socket.send(&parcel.bytes).await
                } else {
                    socket.send_to(&parcel.bytes, parcel.to).await
                };
                drop(sent);
            }
            parcel = parcels.recv() => match parcel {
                Some(parcel) => waiting.push(Reverse(parcel)),
                None => return,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// A target that answers each datagram with itself.
    async fn echo() -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 2_048];
            while let Ok((size, from)) = socket.recv_from(&mut buffer).await {
                socket.send_to(&buffer[..size], from).await.unwrap();
            }
        });
        address
    }

    async fn client_of(relay: &UdpRelay) -> UdpSocket {
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        client.connect(relay.address()).await.unwrap();
        client
    }

    async fn receive(client: &UdpSocket) -> Vec<u8> {
        let mut buffer = [0; 2_048];
        let size = timeout(PATIENCE, client.recv(&mut buffer))
            .await
            .unwrap()
            .unwrap();
        buffer[..size].to_vec()
    }

    /// Waits until the relay has seen this many datagrams, whatever became of them.
    async fn until_dropped(relay: &UdpRelay, dropped: u64) {
        let wait = async {
            while relay.counts().dropped < dropped {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap();
    }

    #[tokio::test]
    async fn clients_get_their_own_answers() {
        let relay = UdpRelay::start(echo().await, 1).await.unwrap();
        let (one, other) = (client_of(&relay).await, client_of(&relay).await);
        one.send(b"one").await.unwrap();
        other.send(b"other").await.unwrap();
        assert_eq!(receive(&other).await, b"other");
        assert_eq!(receive(&one).await, b"one");
        assert_eq!(
            relay.counts(),
            Counts {
                passed: 4,
                dropped: 0,
                bytes: 16
            }
        );
    }

    #[tokio::test]
    async fn nothing_passes_a_cut_line_and_all_a_restored_one() {
        let relay = UdpRelay::start(echo().await, 1).await.unwrap();
        let client = client_of(&relay).await;
        relay.cut();
        client.send(b"lost").await.unwrap();
        until_dropped(&relay, 1).await;
        relay.restore();
        client.send(b"kept").await.unwrap();
        assert_eq!(receive(&client).await, b"kept");

        relay.cut_one_way(Direction::FromTarget);
        client.send(b"heard, answer lost").await.unwrap();
        until_dropped(&relay, 2).await;
        assert_eq!(relay.counts().passed, 3);
    }

    #[tokio::test]
    async fn a_cut_drops_what_is_on_the_way() {
        let relay = UdpRelay::start(echo().await, 1).await.unwrap();
        let client = client_of(&relay).await;
        relay.set_faults(Faults {
            delay: Duration::from_millis(200),
            ..Faults::NONE
        });
        client.send(b"late").await.unwrap();
        relay.cut();
        until_dropped(&relay, 1).await;
        assert_eq!(relay.counts().passed, 0);
    }

    #[tokio::test]
    async fn loss_and_duplicates_follow_the_seed() {
        let relay = UdpRelay::start(echo().await, 42).await.unwrap();
        relay.set_faults(Faults {
            loss: 0.3,
            ..Faults::NONE
        });
        let client = client_of(&relay).await;
        relay.cut_one_way(Direction::FromTarget);
        for _ in 0..200 {
            client.send(b"x").await.unwrap();
        }
        // All 200 are dropped somewhere: by chance, or on their way back.
        until_dropped(&relay, 200).await;
        let passed = relay.counts().passed;
        assert!((120..160).contains(&passed), "{passed}");

        relay.restore();
        relay.set_faults(Faults {
            duplication: 1.0,
            ..Faults::NONE
        });
        client.send(b"twice").await.unwrap();
        for _ in 0..4 {
            assert_eq!(receive(&client).await, b"twice");
        }
    }

    #[tokio::test]
    async fn delay_rate_and_reorder_take_their_time() {
        let relay = UdpRelay::start(echo().await, 3).await.unwrap();
        let client = client_of(&relay).await;
        relay.set_faults(Faults {
            delay: Duration::from_millis(50),
            ..Faults::NONE
        });
        let begin = Instant::now();
        client.send(b"x").await.unwrap();
        receive(&client).await;
        assert!(
            begin.elapsed() >= Duration::from_millis(100),
            "{:?}",
            begin.elapsed()
        );

        relay.set_faults(Faults {
            rate_bytes: Some(10_000),
            ..Faults::NONE
        });
        let begin = Instant::now();
        for _ in 0..4 {
            client.send(&[0; 500]).await.unwrap();
        }
        for _ in 0..4 {
            receive(&client).await;
        }
        assert!(
            begin.elapsed() >= Duration::from_millis(200),
            "{:?}",
            begin.elapsed()
        );

        relay.set_faults(Faults {
            reorder: 0.5,
            ..Faults::NONE
        });
        for number in 0..40_u8 {
            client.send(&[number]).await.unwrap();
        }
        let mut numbers = Vec::new();
        for _ in 0..40 {
            numbers.extend(receive(&client).await);
        }
        assert!(!numbers.is_sorted());
        numbers.sort_unstable();
        assert_eq!(numbers, (0..40).collect::<Vec<u8>>());
    }
}
