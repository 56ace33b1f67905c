//! Who is let in. A page of this machine is for this machine: a name that somebody else's server gives to its address (DNS
//! rebinding) and pages of elsewhere are turned away. What is opened to a network takes a word that nobody can guess, which stands
//! in its address.

use std::fmt::Write;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, TRANSFER_ENCODING};
use hyper::{Method, Request, StatusCode};

/// Where a browser says from what kind of page it asks.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The longest address that anything here has.
const LONGEST: usize = 2048;

/// An address of documentation, which nobody has (RFC 5737): the way there begins at the address that others know.
const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);

/// Why somebody is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It wants something done.
    Method,
    /// It brings something.
    Body,
    /// What it wants is too long to be anything.
    Long,
    /// It calls this machine by a name that it does not have.
    Host,
    /// It is a page of elsewhere.
    Origin,
    /// It does not know the word.
    Word,
}

impl Refusal {
    /// The status, and what is said.
    pub fn said(self) -> (StatusCode, &'static str) {
        match self {
            Refusal::Method => (StatusCode::METHOD_NOT_ALLOWED, "this page is for looking: GET is all it knows"),
            Refusal::Body => (StatusCode::PAYLOAD_TOO_LARGE, "this page is for looking: nothing can be sent to it"),
            Refusal::Long => (StatusCode::URI_TOO_LONG, "nothing here has so long an address"),
            Refusal::Host => (StatusCode::MISDIRECTED_REQUEST, "use the address that the desk has told"),
            Refusal::Origin => (StatusCode::FORBIDDEN, "pages of elsewhere may not look in here"),
            Refusal::Word => (StatusCode::NOT_FOUND, "use the whole address that the desk has told"),
        }
    }
}

/// Who is let in at an address.
pub struct Gate {
    at: SocketAddr,
    /// What stands in the address, where a network can reach it.
    word: Option<String>,
    /// The names of this machine.
    names: Vec<String>,
}

impl Gate {
    /// Keeps an address. One that a network can reach takes a word.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn new(at: SocketAddr) -> io::Result<Gate> {
        let word = if at.ip().is_loopback() { None } else { Some(random()?) };
        let mut names = vec!["localhost".to_owned()];
        if word.is_some() {
            names.extend(own_name().into_iter().flat_map(|name| [format!("{name}.local"), name]));
        }
        Ok(Gate { at, word, names })
    }

    /// Where it is looked at from: of every address of the machine, the one that others reach.
    pub fn address(&self) -> String {
        let host = match self.at.ip() {
            any if any.is_unspecified() => reached(any),
            one => one,
        };
        let word = self.word.as_ref().map_or(String::new(), |word| format!("{word}/"));
        format!("http://{}/{word}", SocketAddr::new(host, self.at.port()))
    }

    /// What is wanted, the word taken off: a path that begins with no slash.
    ///
    /// # Errors
    /// Whoever wants it is turned away.
    pub fn admit<'a, B>(&self, request: &'a Request<B>) -> Result<&'a str, Refusal> {
        let headers = request.headers();
        if request.method() != Method::GET {
            return Err(Refusal::Method);
        }
        let brings = |length: &HeaderValue| length != "0";
        if headers.contains_key(TRANSFER_ENCODING) || headers.get_all("content-length").iter().any(brings) {
            return Err(Refusal::Body);
        }
        if request.uri().path_and_query().is_none_or(|wanted| wanted.as_str().len() > LONGEST) {
            return Err(Refusal::Long);
        }
        let host = one(headers, HOST).and_then(|host| host.to_str().ok()).ok_or(Refusal::Host)?;
        if !self.is_called(host) || request.uri().host().is_some() {
            return Err(Refusal::Host);
        }
        if headers.contains_key(ORIGIN) {
            let own = one(headers, ORIGIN).is_some_and(|origin| *origin == format!("http://{host}").as_str());
            if !own {
                return Err(Refusal::Origin);
            }
        }
        let path = request.uri().path().trim_start_matches('/');
        let wanted = match &self.word {
            None => path,
            Some(word) => match path.split_once('/').ok_or(Refusal::Word)? {
                (said, rest) if is_same(said, word) => rest,
                _ => return Err(Refusal::Word),
            },
        };
        // A link leads to the page from anywhere; what a page of elsewhere loads by itself, or into a frame, does not.
        let is = |name, value: &str| headers.get(name).is_none_or(|said| said == value);
        let is_own = is(SITE, "same-origin") || is(SITE, "none");
        let is_link =
            wanted.is_empty() && headers.get(MODE).is_some_and(|mode| mode == "navigate") && is(DEST, "document");
        if is_own || is_link { Ok(wanted) } else { Err(Refusal::Origin) }
    }

    /// Whether this machine is called so, with the port.
    fn is_called(&self, host: &str) -> bool {
        let port = self.at.port();
        // Browsers leave out the port that everybody knows.
        let known = format!("{host}:80");
        let host = if port == 80 && !host.ends_with(":80") { known.as_str() } else { host };
        if let Ok(address) = host.parse::<SocketAddr>() {
            // By number nobody else can be meant, and from elsewhere only with the word.
            let ip = address.ip();
            return address.port() == port && (self.word.is_some() || ip == self.at.ip() || ip.is_loopback());
        }
        let named = host.rsplit_once(':').filter(|(_, given)| given.parse() == Ok(port));
        named.is_some_and(|(name, _)| self.names.iter().any(|own| own.eq_ignore_ascii_case(name)))
    }
}

/// The one header of a name; none where there are more.
fn one(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut all = headers.get_all(name).iter();
    all.next().filter(|_| all.next().is_none())
}

/// Whether two words are the same, in a time that does not tell where they differ.
fn is_same(said: &str, word: &str) -> bool {
    let differs = said.bytes().zip(word.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b));
    said.len() == word.len() && differs == 0
}

/// A word that nobody can guess.
pub fn random() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| io::Error::other("the system has no random numbers"))?;
    let mut word = String::new();
    for byte in bytes {
        // Into a text everything can be written.
        let _ = write!(word, "{byte:02x}");
    }
    Ok(word)
}

/// The address of this machine that others reach, found without sending anything; this machine's own if there is none.
fn reached(any: IpAddr) -> IpAddr {
    let found = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect(ELSEWHERE)?;
        socket.local_addr()
    });
    let own: IpAddr = if any.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    found.map_or(own, |address| address.ip())
}

/// What this machine is called, where the system says so.
fn own_name() -> Option<String> {
    #[cfg(unix)]
    return rustix::system::uname().nodename().to_str().ok().map(str::to_owned);
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: &str, headers: &[(&str, &str)]) -> Request<()> {
        let request =
            headers.iter().fold(Request::builder().uri(path), |request, (name, value)| request.header(*name, *value));
        request.body(()).expect("it is a request")
    }

    fn own() -> Gate {
        Gate::new(([127, 0, 0, 1], 7007).into()).expect("there are random numbers")
    }

    #[test]
    fn this_machine_by_its_own_names_is_let_in() {
        for host in ["127.0.0.1:7007", "localhost:7007", "LOCALHOST:7007", "[::1]:7007"] {
            assert_eq!(own().admit(&asked("/page.js?x=1", &[("host", host)])), Ok("page.js"), "{host}");
        }
        let same = [("host", "localhost:7007"), ("origin", "http://localhost:7007"), ("sec-fetch-site", "same-origin")];
        assert_eq!(own().admit(&asked("/events", &same)), Ok("events"));
        let link = [("host", "localhost:7007"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        assert_eq!(own().admit(&asked("/", &link)), Ok(""));
        let usual = Gate::new(([127, 0, 0, 1], 80).into()).expect("there are random numbers");
        for host in ["localhost", "127.0.0.1", "localhost:80", "[::1]"] {
            assert_eq!(usual.admit(&asked("/", &[("host", host)])), Ok(""), "{host}");
        }
    }

    #[test]
    fn other_names_other_pages_and_whatever_is_brought_is_turned_away() {
        let refused = |headers: &[(&str, &str)]| own().admit(&asked("/", headers)).expect_err("it is refused");
        for host in
            ["evil.example:7007", "127.0.0.1:80", "127.0.0.1", "localhost", "10.0.0.1:7007", "", "a.localhost:7007"]
        {
            assert_eq!(refused(&[("host", host)]), Refusal::Host, "{host}");
        }
        assert_eq!(refused(&[]), Refusal::Host);
        assert_eq!(refused(&[("host", "localhost:7007"), ("host", "localhost:7007")]), Refusal::Host);
        for origin in ["http://evil.example", "null", "http://localhost:8080", "https://localhost:7007"] {
            assert_eq!(refused(&[("host", "localhost:7007"), ("origin", origin)]), Refusal::Origin, "{origin}");
        }
        for mode in [("sec-fetch-mode", "no-cors"), ("sec-fetch-mode", "cors")] {
            let headers = [("host", "localhost:7007"), ("sec-fetch-site", "cross-site"), mode];
            assert_eq!(refused(&headers), Refusal::Origin);
        }
        let frame = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
        for (path, headers) in [("/", &frame[..]), ("/events?look=a", &frame[..]), ("/events?look=a", &frame[..2])] {
            let headers = [&[("host", "localhost:7007")], headers].concat();
            assert_eq!(own().admit(&asked(path, &headers)), Err(Refusal::Origin), "{path}");
        }
        for body in [("content-length", "5"), ("transfer-encoding", "chunked")] {
            assert_eq!(refused(&[("host", "localhost:7007"), body]), Refusal::Body);
        }
        let mut post = asked("/", &[("host", "localhost:7007")]);
        *post.method_mut() = Method::POST;
        assert_eq!(own().admit(&post), Err(Refusal::Method));
        assert_eq!(
            own().admit(&asked(&format!("/{}", "a".repeat(LONGEST)), &[("host", "localhost:7007")])),
            Err(Refusal::Long)
        );
        assert_eq!(own().admit(&asked("http://evil.example/", &[("host", "localhost:7007")])), Err(Refusal::Host));
    }

    #[test]
    fn what_a_network_reaches_takes_the_word() {
        let gate = Gate::new(([192, 168, 1, 5], 7000).into()).expect("there are random numbers");
        let word = gate.word.clone().expect("it has one");
        assert_eq!(gate.address(), format!("http://192.168.1.5:7000/{word}/"));
        let host = [("host", "192.168.1.5:7000")];
        let admit = |path: &str| gate.admit(&asked(path, &host)).map(str::to_owned);
        assert_eq!(admit(&format!("/{word}/events")), Ok("events".into()));
        for path in ["/", "/events", "/page.js", &format!("/{word}"), &format!("/{}/", &word[1..]), "//events"] {
            assert_eq!(admit(path), Err(Refusal::Word), "{path}");
        }
        assert_eq!(gate.admit(&asked(&format!("/{word}/"), &[("host", "evil.example:7000")])), Err(Refusal::Host));
        assert_ne!(random().expect("there are"), random().expect("there are"));
        assert!(word.len() == 32 && own().address() == "http://127.0.0.1:7007/");
    }
}
