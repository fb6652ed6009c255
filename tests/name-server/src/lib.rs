//! name-server
