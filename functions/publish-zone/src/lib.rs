//! functions/publish-zone
