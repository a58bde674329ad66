//! The listening socket, and who holds it if it cannot be had.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
};

use super::{Exit, Failure};
use crate::system;

/// Opens the listening socket, or says in one sentence why not and what to do.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    open(address).map_err(|error| refused(address, &error))
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn refused(address: SocketAddr, error: &io::Error) -> Failure {
    let port = if address.port() < 1024 { 8080 } else { address.port().checked_add(1).unwrap_or(8080) };
    let other = SocketAddr::new(address.ip(), port);
    let choose =
        format!("choose another with --listen {other}, PICLOUD_LISTEN={other} or make run LISTEN={other}");
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let by =
                holder(address).map_or_else(|| "another program".to_owned(), |holder| holder.to_string());
            Failure::new(Exit::Unavailable, format!("{address} is already in use by {by}; {choose}"))
        }
        io::ErrorKind::PermissionDenied => Failure::new(
            Exit::NoPermission,
            format!("this user may not listen on port {}; {choose}", address.port()),
        ),
        _ => Failure::new(
            Exit::Unavailable,
            format!("cannot listen on {address}: {}; {choose}", system::words(error)),
        ),
    }
}

/// A program that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// Its process.
    pub(super) pid: u32,
    /// What the kernel calls it.
    pub(super) name: String,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (process {})", self.name, self.pid)
    }
}

/// Who listens where `address` would: `None` if nobody does, or if it is a
/// process of somebody else, whose files only root can see.
pub(super) fn holder(address: SocketAddr) -> Option<Holder> {
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    let links: Vec<String> = tables
        .iter()
        .flat_map(|table| table.lines())
        .filter_map(listening)
        .filter(|(local, _)| collide(*local, address))
        .map(|(_, inode)| format!("socket:[{inode}]"))
        .collect();
    if links.is_empty() {
        return None;
    }
    let mut processes = fs::read_dir("/proc").ok()?.flatten();
    processes.find_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        let mut files = fs::read_dir(process.path().join("fd")).ok()?.flatten();
        files.find(|file| {
            fs::read_link(file.path())
                .is_ok_and(|to| links.iter().any(|link| to.as_os_str() == link.as_str()))
        })?;
        let name = fs::read_to_string(process.path().join("comm")).ok()?.trim().to_owned();
        Some(Holder { pid, name })
    })
}

/// Whether one of the two leaves no room for the other.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let same = one.ip().to_canonical() == other.ip().to_canonical();
    one.port() == other.port() && (same || one.ip().is_unspecified() || other.ip().is_unspecified())
}

/// Address and inode of a listening socket's line in `/proc/net/tcp` or `tcp6`.
fn listening(line: &str) -> Option<(SocketAddr, u64)> {
    const LISTEN: &str = "0A";
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
    if *state != LISTEN {
        return None;
    }
    let (ip, port) = local.split_once(':')?;
    Some((SocketAddr::new(address(ip)?, u16::from_str_radix(port, 16).ok()?), inode.parse().ok()?))
}

/// An address as the kernel prints it: words of 32 bits in the order of the machine.
fn address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(hex.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let octets: [u8; 16] = words.concat().try_into().ok()?;
            Some(Ipv6Addr::from(octets).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn the_kernels_table_is_understood() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 4711 1";
        assert_eq!(listening(line), Some((([127, 0, 0, 1], 8080).into(), 4711)));
        let v6 = "   1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 12 1";
        assert_eq!(listening(v6), Some((SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 80), 12)));
        let connected = line.replace(" 0A ", " 01 ");
        assert_eq!(listening(&connected), None);
        assert_eq!(listening("  sl  local_address rem_address   st tx_queue rx_queue"), None);
    }

    #[test]
    fn all_addresses_leave_no_room_for_one() {
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        assert!(collide(at("0.0.0.0:80"), at("127.0.0.1:80")));
        assert!(collide(at("[::]:80"), at("127.0.0.1:80")));
        assert!(!collide(at("10.0.0.1:80"), at("127.0.0.1:80")));
        assert!(!collide(at("127.0.0.1:81"), at("127.0.0.1:80")));
    }

    #[test]
    fn who_holds_the_address_is_named() {
        let held = open(([127, 0, 0, 1], 0).into()).expect("a free port");
        let address = held.local_addr().expect("bound");
        let holder = holder(address).expect("this process");
        assert_eq!(holder.pid, std::process::id());
        let failure = listen(address).expect_err("it is taken").to_string();
        assert!(
            failure.starts_with(&format!("{address} is already in use by {holder}; choose another")),
            "{failure}"
        );
    }
}
