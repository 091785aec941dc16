//! chalkcast-gateway
