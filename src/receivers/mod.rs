//! The room `receivers`.
