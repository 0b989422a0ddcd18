//! Compiles what `proto/` says of the protocol, for clients that ask the server.

use std::error::Error;
use std::path::Path;

use prost::Message;

const FILES: [&str; 2] = ["flight.proto", "flight_sql.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let described = protox::compile(FILES, ["proto"])?;
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("protocol.bin"), described.encode_to_vec())?;
    Ok(())
}
