//! SuperCollider's server, played as its language would: over the network, in OSC.

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Messages that are on their way at a time: what the network has no room for is lost.
const AT_A_TIME: usize = 16;

/// A server that runs.
pub struct Server {
    child: Child,
    socket: UdpSocket,
}

/// What it says of itself.
pub struct Status {
    pub synths: i32,
    /// Percent of the time of its blocks, on average and at the most.
    pub load: [f32; 2],
}

impl Server {
    /// Starts one in a folder, under the JACK server that is the default.
    pub fn start(folder: &Path) -> Result<Self, String> {
        let failed = |why: std::io::Error| why.to_string();
        let free = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).map_err(failed)?;
        let options = format!("-u {} -R 0 -i 0 -o 2 -z 64 -l 1 -n 8192 -b 8192 -m 65536 -w 256", free.port());
        let mut command = Command::new("scsynth");
        command.args(options.split_whitespace()).env("SC_JACK_DEFAULT_OUTPUTS", "system").current_dir(folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let socket = UdpSocket::bind("127.0.0.1:0").and_then(|own| own.connect(free).map(|()| own)).map_err(failed)?;
        let server = Server { child: command.spawn().map_err(failed)?, socket };
        let begun = Instant::now();
        while server.status().is_err() {
            if begun.elapsed() > PATIENCE {
                return Err("scsynth does not start".to_owned());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(server)
    }

    /// Plays a score at once: first what prepares, then what sounds.
    pub fn play(&self, score: &[u8]) -> Result<(), String> {
        let (mut packets, mut rest) = (Vec::new(), score);
        while let Some((size, tail)) = rest.split_first_chunk() {
            let (packet, tail) =
                tail.split_at_checked(u32::from_be_bytes(*size) as usize).ok_or("the score is cut short")?;
            packets.push(packet);
            rest = tail;
        }
        let sounds = |packet: &&[u8]| packet.windows(6).any(|bytes| bytes == b"/s_new");
        let (sounding, preparing): (Vec<&[u8]>, Vec<&[u8]>) = packets.into_iter().partition(sounds);
        for packets in preparing.chunks(AT_A_TIME).chain(sounding.chunks(AT_A_TIME)) {
            for packet in packets {
                self.socket.send(packet).map_err(|why| why.to_string())?;
            }
            self.ask(&message("/sync", &[1]), "/synced")?;
        }
        Ok(())
    }

    pub fn status(&self) -> Result<Status, String> {
        let told = self.ask(&message("/status", &[]), "/status.reply")?;
        // Its address and its types take 28 bytes.
        let word = |at: usize| told[28 + 4 * at..].first_chunk().copied().unwrap_or_default();
        let load = [5, 6].map(|at| f32::from_be_bytes(word(at)));
        Ok(Status { synths: i32::from_be_bytes(word(2)), load })
    }

    /// Sends a message and waits for what answers it.
    fn ask(&self, message: &[u8], answer: &str) -> Result<[u8; 256], String> {
        let failed = |why: std::io::Error| format!("scsynth does not answer: {why}");
        self.socket.send(message).map_err(failed)?;
        self.socket.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        loop {
            let mut told = [0; 256];
            self.socket.recv(&mut told).map_err(failed)?;
            if told.starts_with(answer.as_bytes()) {
                return Ok(told);
            }
        }
    }
}

impl Drop for Server {
    /// Asks it to leave, and sees to it.
    fn drop(&mut self) {
        let asked = self.ask(&message("/quit", &[]), "/done");
        let begun = Instant::now();
        while asked.is_ok() && begun.elapsed() < PATIENCE && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A message with numbers.
fn message(address: &str, numbers: &[i32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in [address.to_owned(), format!(",{}", "i".repeat(numbers.len()))] {
        bytes.extend(text.as_bytes());
        // Texts end with a zero at least, and are a multiple of four.
        bytes.resize(bytes.len() / 4 * 4 + 4, 0);
    }
    bytes.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    bytes
}
