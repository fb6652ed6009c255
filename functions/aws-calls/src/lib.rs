//! aws-calls
