//! Are the ports free, and if not, who has them?

use std::net::IpAddr;

use servers::is_port_free;

use crate::{
    error::{Error, Result},
    service_name::ServiceName,
};

/// How many ports in a row a shop takes.
pub const SERVICE_PORTS: u16 = ServiceName::ALL.len() as u16;

/// All of the shop's ports, or an error that names the first taken one.
pub(super) fn check(host: IpAddr, first: u16) -> Result<()> {
    let taken = (first..first + SERVICE_PORTS).find(|port| !is_port_free(host, *port));
    let Some(port) = taken else {
        return Ok(());
    };
    if let Err(error) = std::net::TcpListener::bind((host, 0)) {
        return Err(Error::failed(
            format!("cannot listen on {host}: {error}"),
            "Choose an address of this machine: --host 127.0.0.1, or 0.0.0.0 for all",
        ));
    }
    let last = first + SERVICE_PORTS - 1;
    Err(Error::failed(
        format!("port {port} is in use by {} (the shop needs {first} to {last})", holder(port)),
        match suggestion(host, first) {
            Some(free) => format!("End that program, or choose other ports: ./prost up --port {free}"),
            None => "End that program, or choose other ports with --port".to_owned(),
        },
    ))
}

/// Who listens on a port, in words.
pub fn holder(port: u16) -> String {
    match servers::holder_of(port) {
        Some(holder) => format!("process {} ({})", holder.pid, shortened(&holder.command)),
        None => "another program".to_owned(),
    }
}

fn shortened(command: &str) -> String {
    const LONGEST: usize = 80;
    if command.chars().count() <= LONGEST {
        return command.to_owned();
    }
    let kept: String = command.chars().take(LONGEST).collect();
    format!("{kept}…")
}

/// The next multiple of ten behind which all ports are free.
fn suggestion(host: IpAddr, first: u16) -> Option<u16> {
    let begin = first.checked_add(10)? / 10 * 10;
    (begin..=begin.saturating_add(2000))
        .step_by(10)
        .filter(|port| port.checked_add(SERVICE_PORTS).is_some())
        .find(|port| (*port..*port + SERVICE_PORTS).all(|one| is_port_free(host, one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_its_holder_and_a_way_out() {
        let host: IpAddr = [127, 0, 0, 1].into();
        let listener = std::net::TcpListener::bind((host, 0)).expect("bind");
        let port = listener.local_addr().expect("address").port().min(65_529);
        let message = check(host, port).expect_err("taken").to_string();
        assert!(message.contains(&port.to_string()), "{message}");
        assert!(message.contains("--port"), "{message}");
        if cfg!(target_os = "linux") {
            assert!(message.contains(&std::process::id().to_string()), "{message}");
        }
    }
}
