//! Loopback ports: finding free ones, and naming who holds a taken one.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    time::Duration,
};

use tokio::time::Instant;

use crate::{Error, Result, process};

/// Below the range from which systems take the ports of outgoing connections, so that a remembered
/// port is not lost to a chance connection.
const OUR_RANGE: std::ops::Range<u16> = 20_000..32_000;

/// Whether a listener on this address could be opened now.
pub fn is_port_free(host: IpAddr, port: u16) -> bool {
    TcpListener::bind(SocketAddr::new(host, port)).is_ok()
}

/// Whether a loopback port is free, or becomes so within two seconds: a process that was just killed
/// holds its sockets a moment longer.
pub(crate) async fn gets_free(port: u16) -> bool {
    let end = Instant::now() + Duration::from_secs(2);
    while !is_port_free(Ipv4Addr::LOCALHOST.into(), port) {
        if Instant::now() >= end {
            return false;
        }
        tokio::time::sleep(process::POLL).await;
    }
    true
}

/// A loopback port on which nobody listens.
///
/// # Errors
/// [`Error::Failed`] when a few hundred random ports are all taken.
pub fn free_port() -> Result<u16> {
    (0..500)
        .map(|_| rand::random_range(OUR_RANGE))
        .find(|port| is_port_free(Ipv4Addr::LOCALHOST.into(), *port))
        .ok_or_else(|| Error::Failed {
            what: "looking for a free port",
            cause: format!(
                "500 random ports between {} and {} are all taken on 127.0.0.1",
                OUR_RANGE.start, OUR_RANGE.end
            ),
            fix: "Stop some of the programs that listen there".to_owned(),
        })
}

/// A process that listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortHolder {
    /// Its process id.
    pub pid: i32,
    /// Its command line.
    pub command: String,
}

/// Who listens on a TCP port of this machine, if the system tells (Linux: `/proc`; processes of other
/// users stay unknown to an ordinary user).
pub fn holder_of(port: u16) -> Option<PortHolder> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| table.lines().skip(1).filter_map(|line| listening_inode(line, port)).collect::<Vec<_>>())
        .collect();
    let targets: Vec<String> = inodes.iter().map(|i| format!("socket:[{i}]")).collect();
    process::all_pids().into_iter().find_map(|pid| {
        let sockets = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
        let holds = sockets.flatten().any(|fd| {
            std::fs::read_link(fd.path()).is_ok_and(|target| targets.iter().any(|t| target.as_os_str() == t.as_str()))
        });
        holds.then(|| PortHolder { pid, command: process::command_line(pid).unwrap_or_default() })
    })
}

/// The socket's inode, if this line of `/proc/net/tcp` is a listener on `port`.
fn listening_inode(line: &str, port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let columns: Vec<&str> = line.split_whitespace().collect();
    let local = columns.get(1)?.rsplit(':').next()?;
    let is_ours = u16::from_str_radix(local, 16).ok()? == port && *columns.get(3)? == LISTEN;
    is_ours.then(|| columns.get(9).map(|inode| (*inode).to_owned()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_not_free_and_its_holder_is_this_process() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let port = listener.local_addr().expect("address").port();
        assert!(!is_port_free(Ipv4Addr::LOCALHOST.into(), port));
        if cfg!(target_os = "linux") {
            let holder = holder_of(port).expect("holder");
            assert_eq!(holder.pid, std::process::id().cast_signed());
        }
    }

    #[test]
    fn only_listeners_on_the_port_count() {
        let listener = "0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 1";
        let connection = "0: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000 0 0 4712 1";
        assert_eq!(listening_inode(listener, 8080).as_deref(), Some("4711"));
        assert_eq!(listening_inode(listener, 8081), None);
        assert_eq!(listening_inode(connection, 8080), None);
    }
}
