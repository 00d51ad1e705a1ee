//! QUIC settings of the hub: small windows for many branches, large socket buffers, resets that outlive a restart.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::{
    ConnectionId, ConnectionIdGenerator, EndpointConfig, IdleTimeout, TransportConfig, VarInt,
};
use rustix::net::sockopt;
use tracing::info;

use crate::env::Env;

/// Window of one stream, in bytes.
const STREAM_WINDOW: u32 = 256 * 1024;
/// Window of a connection that is not catching up, in bytes.
pub(super) const CONNECTION_WINDOW: VarInt = VarInt::from_u32(32 * 1024);
/// Window of a connection that was admitted to catch up, in bytes.
pub(super) const CATCH_UP_WINDOW: VarInt = VarInt::from_u32(256 * 1024);
/// Unsent and un-acknowledged bytes that one connection may keep in memory.
const SEND_WINDOW: u64 = 512 * 1024;
/// Streams that a branch may have open: log, control, bulk and a few that are just ending.
const STREAMS: VarInt = VarInt::from_u32(8);
/// Bytes asked of the kernel for each direction of the socket: bursts of handshakes fit in.
const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// A connection that says nothing for so long is gone, in milliseconds.
const IDLE_MS: u32 = 180_000;

pub(super) fn transport() -> Arc<TransportConfig> {
    let mut config = TransportConfig::default();
    config
        .max_concurrent_bidi_streams(STREAMS)
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(CONNECTION_WINDOW)
        .send_window(SEND_WINDOW)
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_MS))))
        .initial_rtt(Duration::from_secs(1))
        .mtu_discovery_config(None)
        .datagram_receive_buffer_size(None);
    Arc::new(config)
}

/// Reset tokens are made with a kept key, so that a restarted hub answers a packet of an old connection with a reset and
/// the branch connects again at once instead of waiting for a time-out.
pub(super) fn endpoint(reset_key: &[u8; 64], env: &Env) -> EndpointConfig {
    let mut config = EndpointConfig::new(Arc::new(ring::hmac::Key::new(
        ring::hmac::HMAC_SHA256,
        reset_key,
    )));
    let env = env.clone();
    config.cid_generator(move || Box::new(RandomIds(env.clone())));
    config.min_reset_interval(Duration::from_millis(1));
    config
}

/// Random connection ids of which none is called invalid: quinn's own ones carry a mark of the process, and packets
/// without it, such as those for the process before, would get no reset.
struct RandomIds(Env);

impl ConnectionIdGenerator for RandomIds {
    fn generate_cid(&mut self) -> ConnectionId {
        ConnectionId::new(&self.0.random::<8>())
    }

    fn cid_len(&self) -> usize {
        8
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

/// A socket with large buffers; what the kernel gave is logged.
pub(super) fn socket(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    if sockopt::set_socket_recv_buffer_size_force(&socket, SOCKET_BUFFER_BYTES).is_err() {
        sockopt::set_socket_recv_buffer_size(&socket, SOCKET_BUFFER_BYTES)?;
    }
    if sockopt::set_socket_send_buffer_size_force(&socket, SOCKET_BUFFER_BYTES).is_err() {
        sockopt::set_socket_send_buffer_size(&socket, SOCKET_BUFFER_BYTES)?;
    }
    // The kernel reports twice what it gives to data.
    let receive_bytes = sockopt::socket_recv_buffer_size(&socket)? / 2;
    let send_bytes = sockopt::socket_send_buffer_size(&socket)? / 2;
    let asked_bytes = SOCKET_BUFFER_BYTES;
    info!(asked_bytes, receive_bytes, send_bytes, "UDP buffers");
    Ok(socket)
}
