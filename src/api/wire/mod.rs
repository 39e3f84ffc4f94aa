//! What goes over the wire: the shapes of bodies in and out, spelt as Alertmanager spells them.

pub(super) mod mismatch;
pub(super) mod posted;
pub(super) mod shown;
pub(super) mod syntax;
pub(super) mod time;
pub(super) mod uri;
