//! Broker: as much of RabbitMQ as it takes to refuse a login, and to repeat the password.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test of logwell-relay uses it too"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Listens until the process ends; what was said at each login is kept.
pub(crate) struct Broker {
    pub(crate) address: SocketAddr,
    logins: Arc<Mutex<Vec<String>>>,
}

impl Broker {
    /// `spell` says how the login is repeated.
    pub(crate) fn start(spell: fn(&str) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let logins = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&logins);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let Ok(login) = read_login(&mut stream) else { continue };
                seen.lock().unwrap().push(login.clone());
                let shown = spell(&login);
                let why = format!("ACCESS_REFUSED - login was refused for {shown}");
                let _gone = stream.write_all(&frame(&close(&why)));
                let _closed = stream.read(&mut [0; 256]);
            }
        });
        Self { address, logins }
    }

    pub(crate) fn logins(&self) -> Vec<String> {
        self.logins.lock().unwrap().clone()
    }
}

/// Begins the handshake; what the client answers to it, as `\0user\0password`.
fn read_login(stream: &mut TcpStream) -> std::io::Result<String> {
    stream.read_exact(&mut [0; 8])?; // AMQP 0 0 9 1
    let mut start = vec![0, 10, 0, 10, 0, 9]; // connection.start, version 0-9
    start.extend(0_u32.to_be_bytes()); // no properties
    for text in ["PLAIN", "en_US"] {
        start.extend(u32::try_from(text.len()).unwrap_or_default().to_be_bytes());
        start.extend(text.as_bytes());
    }
    stream.write_all(&frame(&start))?;
    let mut head = [0; 7];
    stream.read_exact(&mut head)?;
    let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
    let mut start_ok = vec![0; length as usize + 1];
    stream.read_exact(&mut start_ok)?;
    let text = String::from_utf8_lossy(&start_ok).into_owned();
    let login = text.split_once("PLAIN").map_or("", |(_, rest)| rest);
    // Behind it are its length and, in the end, the locale.
    let from = login.find("\0guest\0").unwrap_or_default();
    let to = login.rfind("\u{5}en_US").unwrap_or(login.len());
    Ok(login[from..to].to_owned())
}

/// connection.close: code 403 and the reason.
fn close(why: &str) -> Vec<u8> {
    let mut close = vec![0, 10, 0, 50, 1, 147];
    close.push(u8::try_from(why.len()).unwrap());
    close.extend(why.as_bytes());
    close.extend([0, 10, 0, 11]);
    close
}

/// A frame of a method, on channel 0.
fn frame(method: &[u8]) -> Vec<u8> {
    let mut frame = vec![1, 0, 0];
    frame.extend(u32::try_from(method.len()).unwrap().to_be_bytes());
    frame.extend(method);
    frame.push(0xce);
    frame
}
