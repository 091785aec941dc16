//! The RTMP handshake (RTMP 1.0 §5.2), simple and with digest.
