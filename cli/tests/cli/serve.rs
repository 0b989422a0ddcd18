//! `tithe serve`: it starts, says where, stops; and refuses what is unsafe. What it answers is tested in
//! `flight-server`.

use std::io::Read;
use std::net::{TcpListener, TcpStream};

use crate::support::{Place, Service, ends, send};

#[test]
fn it_says_where_it_listens_and_stops_when_told() {
    for signal in ["TERM", "INT"] {
        let place = Place::with_sample();
        let mut server = Service::start(&place, ["serve", "--listen", "127.0.0.1:0"]);
        let address = server.address.clone();
        drop(TcpStream::connect(&address).expect("the server listens"));
        send(signal, &server.process);
        assert_eq!(ends(&mut server.process), Some(0), "{signal}");
        let mut rest = String::new();
        server.said.read_to_string(&mut rest).expect("text");
        assert!(rest.contains(&format!("flight_sql.connect(\"grpc://{address}\")")), "{rest}");
        assert!(rest.contains("stopping once the running queries are done"), "{rest}");
        assert!(TcpStream::connect(&address).is_err());
        let mut out = String::new();
        server.process.stdout.take().expect("standard output").read_to_string(&mut out).expect("text");
        assert_eq!(out, "");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn with_little_memory_it_gives_back_what_it_frees() {
    for (memory, told) in [("256MiB", true), ("2GiB", false)] {
        let place = Place::with_sample();
        let server = Service::start(&place, ["serve", "--listen", "127.0.0.1:0", "--memory", memory]);
        let environment = std::fs::read(format!("/proc/{}/environ", server.process.id())).expect("a process");
        let settings = environment.split(|byte| *byte == 0);
        assert_eq!(
            settings.filter(|one| one == b"MIMALLOC_PURGE_DELAY=0").count(),
            usize::from(told),
            "{memory}"
        );
    }
    // From the configuration, too; and what is wrong with that is said as ever.
    let place = Place::with_sample();
    place.write("tithe.toml", "[limits]\nmemory = \"a lot\"\n");
    assert!(place.run(["sql", "-c", "SELECT 1"]).failure(2).contains("tithe.toml"));
}

fn refused(arguments: &[&str], code: i32) -> String {
    let place = Place::with_sample();
    let message = place.run(["serve"].iter().chain(arguments)).failure(code);
    let error = message.lines().find(|line| line.starts_with("error: "));
    error.unwrap_or_else(|| panic!("{message}")).to_owned()
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    assert_eq!(
        refused(&["--listen", &address.to_string()], 3),
        format!(
            "error: port {} of 127.0.0.1 is in use by another program: stop it, or listen on another port",
            address.port()
        )
    );
}

#[test]
fn other_machines_need_tls_and_users() {
    let message = refused(&["--listen", "0.0.0.0:0"], 2);
    assert!(
        message
            .starts_with("error: refusing to listen on 0.0.0.0:0, which other machines can reach, without "),
        "{message}"
    );
    assert!(refused(&["--listen", "[::]:0"], 2).contains("refusing to listen"));
}

#[test]
fn options_that_cannot_be() {
    assert!(
        refused(&["--listen", "localhost"], 2).contains("an IP address and a port, such as 127.0.0.1:32010")
    );
    assert!(refused(&["--tls-cert", "a.pem"], 2).contains("required"));
    assert!(refused(&["--listen", "127.0.0.1:0", "--users", "none.toml"], 2).contains("none.toml"));
    assert!(
        refused(&["--listen", "127.0.0.1:0", "--tls-cert", "a.pem", "--tls-key", "b.pem"], 2)
            .contains("cannot read a.pem")
    );
    let message = Place::new().run(["serve", "--listen", "127.0.0.1:0"]).failure(2);
    assert!(message.starts_with("error: there is no lake to serve: name one with --lake"), "{message}");
}
