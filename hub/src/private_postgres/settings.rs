//! The server's settings, written whole at each start.
//!
//! No value of a statement reaches the log (INV-21, T-13): errors that a client causes are told to
//! the client and not logged at all, since their very text may quote a value.

pub(super) const ADMIN_ROLE: &str = "postgres";
pub(super) const APPLICATION_ROLE: &str = "counterpart";

/// Loopback with a password and nothing else (T-9).
pub(super) const HOST_RULES: &str = "host all all 127.0.0.1/32 scram-sha-256\n";

/// What differs from cluster to cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) port: u16,
    pub(super) fsync: bool,
    pub(super) max_connections: u16,
}

impl Settings {
    /// The text of `postgresql.conf`.
    pub(super) fn text(self) -> String {
        let Self {
            port,
            max_connections,
            ..
        } = self;
        let durable = if self.fsync { "on" } else { "off" };
        format!(
            "# Written by the hub at each start; changes are lost.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = {max_connections}
password_encryption = 'scram-sha-256'
shared_buffers = '128MB'
dynamic_shared_memory_type = posix
fsync = {durable}
full_page_writes = {durable}
synchronous_commit = on
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, ymd'
lc_messages = 'C'
default_text_search_config = 'pg_catalog.simple'
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] '
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_statement = none
log_min_duration_statement = -1
log_autovacuum_min_duration = -1
log_checkpoints = off
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"
        )
    }
}

/// The port named in such a text.
pub(super) fn port_in(text: &str) -> Option<u16> {
    text.lines()
        .find_map(|line| line.strip_prefix("port = "))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_found_again() {
        let settings = Settings {
            port: 5_555,
            fsync: false,
            max_connections: 9,
        };
        assert_eq!(port_in(&settings.text()), Some(5_555));
    }
}
