//! The program `watchbell`: arguments, logging, run, exit code.

use std::process::ExitCode;

use watchbell::cli::{self, Command, Options};
use watchbell::{app, telemetry, tool};

/// Alerts are made on one thread and dropped on another, a million of them for days: with the system's allocator the memory
/// falls to pieces and the threads wait for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::parse(std::env::args().skip(1)) {
        Ok(Command::Print(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Command::Serve(options)) => serve(*options),
        Ok(Command::Use(wanted)) => tool::run(&wanted),
        Err(error) => {
            eprintln!("{}", error.report());
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn serve(options: Options) -> ExitCode {
    telemetry::log::start(options.log_level, options.log_format);
    // Refused only if a provider is installed already, and then there is one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match app::run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            tracing::error!(%err, "watchbell exited with error");
            ExitCode::FAILURE
        }
    }
}
