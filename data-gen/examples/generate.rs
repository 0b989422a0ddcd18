//! Writes a sample lake: `cargo run -p tithe-data-gen --example generate -- SCALE SEED DIRECTORY [THREADS]`.

use std::process::ExitCode;

use tithe_data_gen::{GenerateOptions, Silent, generate};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match arguments.as_slice() {
        [scale, seed, out, rest @ ..] => scale.parse().ok().zip(seed.parse().ok()).map(|(scale, seed)| {
            let threads = rest.first().and_then(|threads| threads.parse().ok());
            GenerateOptions { scale, seed, out: out.into(), threads, overwrite: false }
        }),
        _ => None,
    };
    let Some(options) = options else {
        eprintln!("usage: generate SCALE SEED DIRECTORY [THREADS]");
        return ExitCode::from(2);
    };
    match generate(&options, &Silent) {
        Ok(tables) => {
            for table in tables {
                eprintln!(
                    "{}.{}: {} rows, {} files, {} bytes",
                    table.schema, table.table, table.rows, table.files, table.bytes
                );
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
