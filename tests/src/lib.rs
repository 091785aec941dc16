//! chalkcast-tests
