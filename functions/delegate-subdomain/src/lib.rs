//! functions/delegate-subdomain
