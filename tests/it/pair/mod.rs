//! The pair of monitoring servers as `config/ha` has it: its files are good, and the whole of it, with all its real
//! programs in network namespaces, survives what happens to such pairs. What people were told meanwhile is written into
//! `target/pair/`, from where it goes into `docs/pair.md`.

mod clients;
mod killed;
mod laws;
mod machine;
mod report;
mod shipped;
mod shortened;
mod sinks;
mod stage;
mod storm;

mod s1_target;
mod s2_cut_off;
mod s3_split;
mod s4_storm;
mod s5_silence;
mod s6_kills;
