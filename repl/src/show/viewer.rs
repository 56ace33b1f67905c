//! What one who looks is sent: of everything the newest, as fast as it takes it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use serde_json::json;
use tokio::sync::watch;

use super::feed::{self, Feed, Numbered};
use super::looks::Look;
use super::seen::Manner;

/// What comes next, and the viewer that waits for what comes then.
type Next = Pin<Box<dyn Future<Output = Option<(Viewer, Bytes)>> + Send>>;

/// What a request is answered with.
pub enum Answer {
    /// All of it.
    Whole(Option<Bytes>),
    /// What happens from now on.
    Events(Next),
}

impl Answer {
    /// Something that is whole.
    pub fn whole(text: impl Into<Bytes>) -> Answer {
        Answer::Whole(Some(text.into()))
    }

    /// What happens from now on, until it is over or nobody takes it any more.
    pub fn events(viewer: Viewer) -> Answer {
        Answer::Events(Box::pin(viewer.next()))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match self.get_mut() {
            Answer::Whole(bytes) => bytes.take(),
            Answer::Events(next) => match ready!(next.as_mut().poll(context)) {
                Some((viewer, bytes)) => {
                    *next = Box::pin(viewer.next());
                    Some(bytes)
                }
                None => None,
            },
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Answer::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Answer::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Answer::Events(_) => SizeHint::default(),
        }
    }
}

/// One who looks, and what it has been sent.
pub struct Viewer {
    feed: watch::Receiver<Feed>,
    path: String,
    /// In what way it sees the picture.
    manner: Manner,
    /// What is sent in place of its sound while too many things are looked at.
    crowded: Bytes,
    sent: Feed,
    _look: Look,
}

impl Viewer {
    /// Somebody who looks closely at a path, and at the picture in a way, and has seen nothing yet.
    pub fn new(mut feed: watch::Receiver<Feed>, path: String, manner: Manner, look: Look) -> Viewer {
        feed.mark_changed();
        let crowded = feed::event("sound", &json!({ "path": path, "sound": null, "crowded": true }));
        Viewer { feed, path, manner, crowded, sent: Feed::default(), _look: look }
    }

    /// Waits for something new; nothing when there will be no more.
    async fn next(mut self) -> Option<(Viewer, Bytes)> {
        loop {
            self.feed.changed().await.ok()?;
            let feed = self.feed.borrow_and_update().clone();
            let bytes = self.news(&feed);
            self.sent = feed;
            if !bytes.is_empty() {
                return Some((self, bytes.into()));
            }
        }
    }

    /// What is new against what has been sent: what an edit has done behind the text of it, which it is seen in, and before the
    /// picture of it, what stays before what moves.
    fn news(&self, feed: &Feed) -> Vec<u8> {
        let mut news = Vec::new();
        let whole = |news: &mut Vec<u8>, before: &Numbered, now: &Numbered| {
            if now.number > before.number {
                news.extend_from_slice(&now.bytes);
            }
        };
        let each = |news: &mut Vec<u8>, before: &[Numbered], now: &[Numbered]| {
            let newest = before.last().map_or(0, |one| one.number);
            now.iter().filter(|one| one.number > newest).for_each(|one| news.extend_from_slice(&one.bytes));
        };
        whole(&mut news, &self.sent.desk, &feed.desk);
        whole(&mut news, &self.sent.text, &feed.text);
        whole(&mut news, &self.sent.typed, &feed.typed);
        each(&mut news, &self.sent.edits, &feed.edits);
        if let Some(now) = feed.pictures.get(&self.manner) {
            whole(&mut news, self.sent.pictures.get(&self.manner).unwrap_or(&Numbered::default()), now);
        }
        each(&mut news, &self.sent.told, &feed.told);
        // Who knows what was is sent what has come since, who does not all of it.
        match self.sent.past.number == feed.past.number {
            true => each(&mut news, &self.sent.heard, &feed.heard),
            false => news.extend_from_slice(&feed.past.bytes),
        }
        if feed.moment.number > self.sent.moment.number {
            news.extend_from_slice(&feed.moment.bytes);
            let others = || Some(&self.crowded).filter(|_| !feed.sounds.is_empty());
            let sound = feed.sounds.get(&self.path).or_else(others);
            sound.into_iter().for_each(|sound| news.extend_from_slice(sound));
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::looks::Looks;
    use std::sync::Arc;

    fn numbered(name: &str, number: u64) -> Numbered {
        Numbered { number, bytes: format!("{name}{number};").into() }
    }

    fn feed(number: u64) -> Feed {
        Feed {
            text: numbered("text", 1 + number / 90),
            edits: (1..=number / 10).map(|edit| numbered("edit", edit)).collect(),
            moment: numbered("moment", number),
            ..Feed::default()
        }
    }

    /// What somebody who looks at the master is sent, each time that it is asked for.
    fn sent(receive: watch::Receiver<Feed>) -> impl FnMut() -> Option<String> {
        let look = Arc::new(Looks::default()).look("master".into(), Manner::default()).expect("there is room");
        let mut viewer = Some(Viewer::new(receive, "master".into(), Manner::default(), look));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("there is one");
        move || {
            let (same, bytes) = runtime.block_on(viewer.take()?.next())?;
            viewer = Some(same);
            String::from_utf8(bytes.to_vec()).ok()
        }
    }

    #[test]
    fn who_is_slow_is_sent_the_newest_of_what_moves_and_what_happened_meanwhile_once() {
        let (send, receive) = watch::channel(feed(10));
        let mut next = sent(receive);
        assert_eq!(next().as_deref(), Some("text1;edit1;moment10;"));
        (11..=40).for_each(|number| drop(send.send_replace(feed(number))));
        assert_eq!(next().as_deref(), Some("edit2;edit3;edit4;moment40;"));
        send.send_replace(feed(95));
        assert_eq!(next().as_deref(), Some("text2;edit5;edit6;edit7;edit8;edit9;moment95;"));
        drop(send);
        assert_eq!(next(), None);
    }

    #[test]
    fn who_comes_is_sent_all_of_the_past_and_then_what_comes_after_it() {
        let past = |each: u64, from: u64, to: u64| Feed {
            past: Numbered { number: each, bytes: format!("past{to};").into() },
            heard: (from..=to).map(|number| numbered("heard", number)).collect(),
            ..Feed::default()
        };
        let (send, receive) = watch::channel(past(1, 5, 20));
        let mut next = sent(receive);
        assert_eq!(next().as_deref(), Some("past20;"));
        send.send_replace(past(1, 7, 22));
        assert_eq!(next().as_deref(), Some("heard21;heard22;"));
        // The figures are further apart now, and begin anew.
        send.send_replace(past(2, 13, 14));
        assert_eq!(next().as_deref(), Some("past14;"));
        send.send_replace(past(2, 13, 15));
        assert_eq!(next().as_deref(), Some("heard15;"));
    }

    #[test]
    fn each_is_sent_the_picture_that_it_looks_at_alone_and_nothing_while_that_is_not_drawn() {
        let [near, far] = [false, true].map(|is_far| Manner { is_far, ..Manner::default() });
        let pictures = [(near, numbered("near", 1)), (far, numbered("far", 2))];
        let drawn = Feed { pictures: Arc::new(pictures.into()), text: numbered("text", 1), ..Feed::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("there is one");
        let unfolded = Manner { is_unfolded: true, ..near };
        for (manner, wanted) in [(near, "text1;near1;"), (far, "text1;far2;"), (unfolded, "text1;")] {
            let (_send, receive) = watch::channel(drawn.clone());
            let look = Arc::new(Looks::default()).look("master".into(), manner).expect("there is room");
            let viewer = Viewer::new(receive, "master".into(), manner, look);
            let sent = runtime.block_on(viewer.next()).map(|(_, bytes)| bytes);
            assert_eq!(sent.as_deref(), Some(wanted.as_bytes()));
        }
    }
}
