use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What one connection carried, in the pieces in which it was read: `true` is from the client to the server.
///
/// As a file: for each piece one byte (0 from the server, 1 from the client), its length in four bytes, big-endian, and the piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capture(pub Vec<(bool, Vec<u8>)>);

impl Capture {
    /// Reads a capture file.
    pub fn read(path: &Path) -> io::Result<Self> {
        let bytes = fs::read(path)?;
        let mut rest = &bytes[..];
        let mut pieces = Vec::new();
        while let Some((header, after)) = rest.split_first_chunk::<5>() {
            let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
            let (piece, after) = after
                .split_at_checked(length)
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            pieces.push((header[0] == 1, piece.to_vec()));
            rest = after;
        }
        Ok(Self(pieces))
    }

    /// Writes a capture file.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut bytes = Vec::new();
        for (from_client, piece) in &self.0 {
            bytes.push(u8::from(*from_client));
            bytes.extend((piece.len() as u32).to_be_bytes());
            bytes.extend_from_slice(piece);
        }
        fs::write(path, bytes)
    }

    /// All bytes from one side.
    pub fn side(&self, from_client: bool) -> Vec<u8> {
        self.0
            .iter()
            .filter(|(from, _)| *from == from_client)
            .flat_map(|(_, piece)| piece.clone())
            .collect()
    }

    /// Carries one connection from `listener` to `server`, until either side ends it, and answers what it carried.
    pub fn record(listener: &TcpListener, server: SocketAddr) -> io::Result<Self> {
        let (client, _) = listener.accept()?;
        let server = TcpStream::connect(server)?;
        let capture = Arc::new(Mutex::new(Self::default()));
        let up = {
            let (client, server, capture) = (
                client.try_clone()?,
                server.try_clone()?,
                Arc::clone(&capture),
            );
            thread::spawn(move || carry(client, server, true, &capture))
        };
        carry(server, client, false, &capture);
        // A panic there leaves what was recorded as it is.
        let _ = up.join();
        let capture = capture.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(capture.clone())
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, from_client: bool, capture: &Mutex<Capture>) {
    let mut buffer = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let piece = &buffer[..length];
        capture
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .push((from_client, piece.to_vec()));
        if to.write_all(piece).is_err() {
            break;
        }
    }
    // The other direction ends with this one.
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}
