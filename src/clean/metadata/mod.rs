//! (in work)
pub mod table;
