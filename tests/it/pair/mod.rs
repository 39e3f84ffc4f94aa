//! The pair of monitoring servers as `config/ha` has it: its files are good, and the whole of it, with all its real
//! programs, survives what happens to such pairs.

mod shipped;
