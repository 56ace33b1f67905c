//! The sockets: how many there may be, how long each may take, and what each is answered.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::drawn::Drafts;
use super::feed::{self, Feed};
use super::gate::Gate;
use super::looks::{FIRST, Looks};
use super::page;
use super::patient::Patient;
use super::room::{Place, Room};
use super::seen::{Manner, Seen};
use super::viewer::{Answer, Viewer};
use crate::arguments::{PAGE_PORT, ShowChoice};
use crate::costing::step_back;

/// How many ports are tried when somebody has the usual one.
const TRIED: u16 = 10;

/// How long somebody may take to say what it wants, and to take something that is sent.
const ASKING: Duration = Duration::from_secs(5);
const TAKING: Duration = Duration::from_secs(10);

/// How many bytes and lines a request may have before what it wants.
const HEAD: usize = 16 * 1024;
const LINES: usize = 64;

/// How long to wait when the system has no room for another connection.
const REST: Duration = Duration::from_millis(100);

/// What every answer says: nothing from elsewhere is loaded, nothing is kept, nobody frames it, nobody is told where it is.
const HEADERS: [(header::HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Listens where it was asked for; where nothing was said, at the first port that nobody has.
///
/// # Errors
/// There is none.
pub fn listen(choice: ShowChoice) -> io::Result<TcpListener> {
    let listener = match choice {
        ShowChoice::At(address) => TcpListener::bind(address)?,
        ShowChoice::Here => {
            let here = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
            let usual = (PAGE_PORT..PAGE_PORT + TRIED).find_map(|port| here(port).ok());
            usual.map_or_else(|| here(0), Ok)?
        }
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves on a thread of its own, as long as there is something to see.
///
/// # Errors
/// There is no thread.
pub fn start(
    listener: TcpListener,
    gate: Gate,
    seen: &watch::Sender<Seen>,
    looks: Arc<Looks>,
    drafts: Drafts,
) -> io::Result<()> {
    let seen = seen.subscribe();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("gainstage-show".into()).spawn(move || {
        step_back();
        runtime.block_on(serve(listener, gate, seen, looks, drafts));
    })?;
    Ok(())
}

/// What every connection needs to know.
struct House {
    gate: Gate,
    looks: Arc<Looks>,
    drafts: Drafts,
    feed: watch::Receiver<Feed>,
}

async fn serve(listener: TcpListener, gate: Gate, seen: watch::Receiver<Seen>, looks: Arc<Looks>, drafts: Drafts) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let (feeding, feed) = watch::channel(Feed::default());
    let made = tokio::spawn(feed::make(seen, feeding, looks.clone()));
    let (house, room) = (Arc::new(House { gate, looks, drafts, feed }), Arc::new(Room::default()));
    tokio::spawn(async move {
        loop {
            let Ok((stream, from)) = listener.accept().await else {
                tokio::time::sleep(REST).await;
                continue;
            };
            match room.enter(from.ip()) {
                Some((place, gives_way)) => {
                    let connection = connection(stream, house.clone(), place);
                    tokio::spawn(async move {
                        let (mut connection, mut gives_way) = (pin!(connection), pin!(gives_way));
                        poll_fn(|context| match gives_way.as_mut().poll(context) {
                            Poll::Ready(_) => Poll::Ready(()),
                            Poll::Pending => connection.as_mut().poll(context),
                        })
                        .await;
                    });
                }
                // A few bytes are taken at once, whoever reads them.
                None => drop(stream.try_write(FULL)),
            }
        }
    });
    // When there is nothing to be seen any more, all ends.
    let _ = made.await;
}

/// What is said when there is no room.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: 2\r\n\r\n";

async fn connection(stream: TcpStream, house: Arc<House>, place: Place) {
    // What is small goes at once; a connection that cannot is one that is gone.
    let _ = stream.set_nodelay(true);
    let answer = service_fn(|request| {
        let answer = answer(&house, &place, &request);
        async { Ok::<_, Infallible>(answer) }
    });
    let stream = Patient::new(TokioIo::new(stream), TAKING);
    // How a connection ends is nobody's business.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(ASKING)
        .max_headers(LINES)
        .max_buf_size(HEAD)
        .keep_alive(false)
        .serve_connection(stream, answer)
        .await;
}

fn answer<B>(house: &House, place: &Place, request: &Request<B>) -> Response<Answer> {
    let answered = house.gate.admit(request).map_err(|refused| refused.said()).and_then(|wanted| {
        place.keep();
        let feed = || house.feed.borrow().clone();
        match wanted {
            "events" => events(house, request.uri().query().unwrap_or_default()),
            "picture.svg" => Ok((SVG, Answer::whole(feed().drawing))),
            "text" => Ok(("application/json", Answer::whole(feed().written))),
            name => page::file(name)
                .map(|(kind, text)| (kind, Answer::whole(text.into_owned())))
                .ok_or((StatusCode::NOT_FOUND, "there is nothing of that name")),
        }
    });
    let (status, kind, body) = match answered {
        Ok((kind, body)) => (StatusCode::OK, kind, body),
        Err((status, why)) => (status, "text/plain; charset=utf-8", Answer::whole(format!("{why}\n"))),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    if kind == SVG {
        // A picture by itself brings its own colours.
        let colours = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
        headers.insert(header::CONTENT_SECURITY_POLICY, colours);
    }
    response
}

const SVG: &str = "image/svg+xml";

/// The stream of what happens, to one who looks at a path: `look=voice%2Ffader`; behind it `&far` for who sits far away, `&unfolded`
/// for who wants each strip by itself.
fn events(house: &House, query: &str) -> Result<(&'static str, Answer), (StatusCode, &'static str)> {
    let look = query.split('&').find_map(|pair| pair.strip_prefix("look="));
    let path = look.map_or_else(|| FIRST.into(), crate::address::unescaped);
    let too_many = (StatusCode::SERVICE_UNAVAILABLE, "too many look already");
    let says = |word: &str| query.split('&').any(|pair| pair == word);
    let manner = Manner { is_far: says("far"), is_unfolded: says("unfolded") };
    let look = house.looks.look(path.clone(), manner).ok_or(too_many)?;
    house.drafts.look();
    Ok(("text/event-stream", Answer::events(Viewer::new(house.feed.clone(), path, manner, look))))
}
