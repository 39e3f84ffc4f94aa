//! IRC, end to end: the real program on real servers from Debian, and an observer who is no part of it. The tests whose
//! names begin with `f1_` each show one promise of the IRC receiver; `servers` shows that the servers are as strict as
//! they are taken to be.

pub(crate) mod lab;

mod f1_commanding;
mod f1_confirming;
mod f1_lines;
mod f1_links;
mod f1_pairing;
mod f1_refusals;
mod f1_registering;
mod proxied;
mod servers;
