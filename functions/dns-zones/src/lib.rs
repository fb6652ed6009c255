//! dns-zones
