//! The real program against real servers, clients and receivers. Each scenario says which program plays the router, so
//! that Debian's Alertmanager can show that the scenario itself is right.

mod amtool;
mod cluster;
mod command_line;
mod compare;
mod crash;
mod delivery;
mod email;
mod filling;
mod gitlab;
mod harness;
mod history;
mod hostile;
mod house;
mod irc;
mod isolation;
mod keeping;
mod metrics;
mod open_files;
mod pair;
mod reload;
mod requests;
mod sockets;
mod tool;
mod vigil;
