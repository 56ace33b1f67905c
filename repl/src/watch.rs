//! Files that change while they play. The one file that knows the file system's events.
//!
//! The folders are watched rather than the files, since most editors save by putting a new file in the place of the
//! old one; of a symbolic link, the folder of each link on the way too. A file is read when its writer closes it or
//! when it is moved into place, at once, and told of if its content is another. Where the system does not say that a
//! file is closed, that moment is a little quiet after the last write. Every second each file is looked at anyway, for
//! folders that give no events, such as those on a network.
//!
//! An empty file is one whose writer is not done yet, and a missing one is about to be put in place: neither is told of
//! at once, but when it stays so from one look to the next, and again when it is back.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// How often files are looked at without an event.
const POLL: Duration = Duration::from_secs(1);

/// How long nothing is written before a file counts as closed, where the system does not say it.
const QUIET: Duration = Duration::from_millis(15);

/// Whether the system says that a file is closed.
const CLOSES: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Files up to this size are compared by content, larger ones by size and time.
const KEPT: u64 = 1 << 20;

/// Links that are followed from one path.
const LINKS: usize = 16;

/// A file that has another content than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The file, as it was given to [`Watch::files`].
    pub file: PathBuf,
    /// Its content, if it is small enough to be kept: a script always is.
    pub content: Option<Vec<u8>>,
}

/// What has become of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It holds something else.
    Changed(Changed),
    /// It has held nothing for a while: it is empty, or there is none.
    Gone {
        /// The file, as it was given to [`Watch::files`].
        file: PathBuf,
        /// Whether there is one.
        is_empty: bool,
    },
    /// What was gone holds something again; if that is something else, it is told next.
    Back(PathBuf),
}

/// A watch over a set of files. Dropping it ends it.
pub struct Watch {
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Seen(notify::Result<Event>),
    Files(Vec<PathBuf>, Sender<()>),
    Stop,
}

impl Watch {
    /// A watch over nothing yet. `deliver` is called on a thread of the watch's own.
    ///
    /// # Errors
    /// The system has no thread to give. Having no events to give is no error: files are then looked at every second.
    pub fn new(deliver: impl FnMut(News) + Send + 'static) -> std::io::Result<Watch> {
        Watch::with(true, POLL, deliver)
    }

    fn with(events: bool, poll: Duration, deliver: impl FnMut(News) + Send + 'static) -> std::io::Result<Watch> {
        let (messages, receiver) = mpsc::channel();
        let seen = messages.clone();
        let watcher = events
            .then(|| notify::recommended_watcher(move |event| drop(seen.send(Message::Seen(event)))).ok())
            .flatten();
        let looking = Looking { watcher, folders: BTreeSet::new(), files: Vec::new(), deliver: Box::new(deliver) };
        let thread =
            thread::Builder::new().name("gainstage-watch".into()).spawn(move || looking.run(&receiver, poll))?;
        Ok(Watch { messages, thread: Some(thread) })
    }

    /// Watches these files and no others; those already watched are kept as they are. When it returns, every later
    /// change is told of: so call it before reading a file, not after.
    pub fn files(&self, files: &[PathBuf]) {
        let (done, wait) = mpsc::channel();
        if self.messages.send(Message::Files(files.to_vec(), done)).is_ok() {
            // The answer is that nothing more comes.
            let _ = wait.recv();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.messages.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Looking {
    watcher: Option<RecommendedWatcher>,
    /// The folders that are watched.
    folders: BTreeSet<PathBuf>,
    files: Vec<File>,
    deliver: Box<dyn FnMut(News) + Send>,
}

struct File {
    path: PathBuf,
    /// The paths under which events may speak of it.
    aliases: BTreeSet<PathBuf>,
    /// What was last told, or found at first.
    content: Content,
    /// How it looked when it was last read.
    read: Option<Stamp>,
    /// How it looked at the last poll.
    polled: Option<Stamp>,
    /// Somebody writes to it and has not closed it.
    open: bool,
    /// When it is quiet enough to be read.
    due: Option<Instant>,
    /// Whether it was told to be gone.
    gone: bool,
}

#[derive(PartialEq, Eq)]
enum Content {
    None,
    Small(Vec<u8>),
    Large(Stamp),
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Stamp { size: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl File {
    fn new(path: PathBuf) -> Self {
        let (content, read) = look(&path);
        File { aliases: aliases(&path), path, content, read, polled: read, open: false, due: None, gone: false }
    }

    /// Reads it, and gives the news if there is any.
    fn read(&mut self) -> Vec<News> {
        self.due = None;
        self.open = false;
        let (content, stamp) = look(&self.path);
        self.read = stamp;
        self.polled = stamp;
        let mut news = Vec::new();
        if content == Content::None {
            return news;
        }
        if std::mem::take(&mut self.gone) {
            news.push(News::Back(self.path.clone()));
        }
        if content != self.content {
            self.content = content;
            let content = match &self.content {
                Content::Small(bytes) => Some(bytes.clone()),
                _ => None,
            };
            news.push(News::Changed(Changed { file: self.path.clone(), content }));
        }
        news
    }

    /// Looks at it without an event: what has stayed as it is from one look to the next is read if it has changed, and missed if
    /// it holds nothing.
    fn poll(&mut self) -> Vec<News> {
        let now = fs::metadata(&self.path).ok().map(|metadata| Stamp::of(&metadata));
        let settled = now == self.polled;
        self.polled = now;
        let is_empty = now.is_some_and(|now| now.size == 0);
        match now {
            Some(_) if !settled || self.open => Vec::new(),
            Some(_) if !is_empty && (self.gone || now != self.read) => self.read(),
            Some(_) if !is_empty => Vec::new(),
            _ if !settled || self.gone || self.content == Content::None => Vec::new(),
            _ => {
                self.gone = true;
                vec![News::Gone { file: self.path.clone(), is_empty }]
            }
        }
    }
}

/// What a file holds, if it holds anything, and how it looks.
fn look(path: &Path) -> (Content, Option<Stamp>) {
    let Ok(metadata) = fs::metadata(path) else { return (Content::None, None) };
    let stamp = Stamp::of(&metadata);
    let content = if !metadata.is_file() || stamp.size == 0 {
        Content::None
    } else if stamp.size > KEPT {
        Content::Large(stamp)
    } else {
        fs::read(path).ok().filter(|bytes| !bytes.is_empty()).map_or(Content::None, Content::Small)
    };
    (content, Some(stamp))
}

/// The path itself and whatever it links to, each by the true path of its folder.
fn aliases(path: &Path) -> BTreeSet<PathBuf> {
    let mut aliases = BTreeSet::new();
    let mut next = path.to_path_buf();
    for _ in 0..LINKS {
        let Some(name) = next.file_name() else { break };
        let Ok(folder) = fs::canonicalize(folder_of(&next)) else { break };
        let alias = folder.join(name);
        let target = fs::read_link(&alias);
        aliases.insert(alias);
        match target {
            Ok(target) => next = folder.join(target),
            Err(_) => break,
        }
    }
    aliases
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl Looking {
    fn run(mut self, messages: &Receiver<Message>, poll: Duration) {
        let mut next_poll = Instant::now() + poll;
        loop {
            let due = self.files.iter().filter_map(|file| file.due).fold(next_poll, Instant::min);
            match messages.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(Message::Seen(Ok(event))) => self.see(&event),
                // An event that could not be had is made up for by the next poll.
                Ok(Message::Seen(Err(_))) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Files(paths, done)) => {
                    self.set(&paths);
                    let _ = done.send(());
                }
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = Instant::now();
            self.read_where(|file| file.due.is_some_and(|due| due <= now));
            if now >= next_poll {
                self.files.iter_mut().flat_map(File::poll).for_each(&mut self.deliver);
                self.follow(0..self.files.len());
                next_poll = now + poll;
            }
        }
    }

    fn set(&mut self, paths: &[PathBuf]) {
        self.files.retain(|file| paths.contains(&file.path));
        // The folders are watched before the files are read, so that no change falls between.
        let wanted: BTreeSet<PathBuf> = paths.iter().flat_map(|path| aliases(path)).collect();
        self.watch_folders(&wanted);
        for path in paths {
            if !self.files.iter().any(|file| file.path == *path) {
                self.files.push(File::new(path.clone()));
            }
        }
    }

    fn see(&mut self, event: &Event) {
        if event.need_rescan() {
            return self.read_where(|_| true);
        }
        if matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))) {
            // A watched folder that goes takes its watch with it; what comes in its place is watched at the next poll.
            self.folders.retain(|folder| !event.paths.contains(folder));
        }
        let moved = matches!(event.kind, EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both)));
        let closed = matches!(event.kind, EventKind::Access(AccessKind::Close(AccessMode::Write)));
        let touched = matches!(event.kind, EventKind::Modify(_) | EventKind::Create(_));
        for file in self.files.iter_mut().filter(|file| event.paths.iter().any(|path| file.aliases.contains(path))) {
            if (moved && CLOSES) || closed {
                file.due = Some(Instant::now());
            } else if touched && !CLOSES {
                file.due = Some(Instant::now() + QUIET);
            } else if matches!(event.kind, EventKind::Modify(ModifyKind::Data(_))) {
                file.open = true;
            }
        }
    }

    fn read_where(&mut self, mut which: impl FnMut(&mut File) -> bool) {
        let mut read = Vec::new();
        for (i, file) in self.files.iter_mut().enumerate() {
            if which(file) {
                read.push(i);
                file.read().into_iter().for_each(&mut self.deliver);
            }
        }
        if !read.is_empty() {
            self.follow(read);
        }
    }

    /// Watches whatever files link to by now.
    fn follow(&mut self, files: impl IntoIterator<Item = usize>) {
        for i in files {
            self.files[i].aliases = aliases(&self.files[i].path);
        }
        let wanted = self.files.iter().flat_map(|file| file.aliases.iter().cloned()).collect();
        self.watch_folders(&wanted);
    }

    fn watch_folders(&mut self, aliases: &BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        let wanted: BTreeSet<PathBuf> = aliases.iter().map(|alias| folder_of(alias).to_path_buf()).collect();
        for gone in self.folders.difference(&wanted) {
            // It may have been removed, and its watch with it.
            let _ = watcher.unwatch(gone);
        }
        // A folder that cannot be watched is tried again at the next poll, which also looks at its files.
        self.folders = wanted
            .into_iter()
            .filter(|folder| {
                self.folders.contains(folder) || watcher.watch(folder, RecursiveMode::NonRecursive).is_ok()
            })
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::io::Write;
    use tempfile::TempDir;

    /// A watched session in a folder of its own. The poll is so frequent that whatever it may spoil, it spoils.
    struct Desk {
        folder: TempDir,
        session: PathBuf,
        watch: Watch,
        changes: Receiver<Changed>,
    }

    const FREQUENT: Duration = Duration::from_millis(20);
    const NEVER: Duration = Duration::from_secs(3600);
    const BOUND: Duration = Duration::from_secs(20);

    fn desk(events: bool, poll: Duration) -> Desk {
        let folder = TempDir::new().unwrap();
        let session = folder.path().join("session.rhai");
        fs::write(&session, "tempo(96);").unwrap();
        let (watch, changes) = watching(events, poll);
        watch.files(std::slice::from_ref(&session));
        Desk { folder, session, watch, changes }
    }

    fn watching(events: bool, poll: Duration) -> (Watch, Receiver<Changed>) {
        let (sender, changes) = mpsc::channel();
        let changed = move |news| {
            if let News::Changed(changed) = news {
                drop(sender.send(changed));
            }
        };
        (Watch::with(events, poll, changed).unwrap(), changes)
    }

    impl Desk {
        fn expect(&self, text: &str) {
            let changed = self.changes.recv_timeout(BOUND).expect("the change is told of");
            let content = String::from_utf8(changed.content.expect("a script is kept")).unwrap();
            assert_eq!((changed.file.as_path(), content.as_str()), (self.session.as_path(), text));
        }

        /// Whatever came before this save has told of nothing.
        fn expect_only(&self, text: &str) {
            fs::write(&self.session, text).unwrap();
            self.expect(text);
        }
    }

    fn each_way(test: impl Fn(Desk)) {
        test(desk(true, NEVER));
        test(desk(true, FREQUENT));
    }

    #[test]
    fn saved_in_place() {
        each_way(|desk| {
            fs::write(&desk.session, "tempo(97);").unwrap();
            desk.expect("tempo(97);");
        });
    }

    #[test]
    fn renamed_over_again_and_again() {
        each_way(|desk| {
            for tempo in 100..110 {
                let (text, new) = (format!("tempo({tempo});"), desk.folder.path().join("session.rhai~"));
                fs::write(&new, &text).unwrap();
                fs::rename(&new, &desk.session).unwrap();
                desk.expect(&text);
            }
        });
    }

    #[test]
    fn backed_up_by_renaming_and_written_anew() {
        each_way(|desk| {
            fs::rename(&desk.session, desk.folder.path().join("session.rhai.bak")).unwrap();
            fs::write(&desk.session, "tempo(98);").unwrap();
            desk.expect("tempo(98);");
        });
    }

    #[test]
    fn deleted_and_created() {
        each_way(|desk| {
            for text in ["tempo(99);", "tempo(100);"] {
                fs::remove_file(&desk.session).unwrap();
                fs::write(&desk.session, text).unwrap();
                desk.expect(text);
            }
        });
    }

    #[test]
    fn a_slow_writer_is_not_read_before_it_is_done() {
        each_way(|desk| {
            let mut file = OpenOptions::new().write(true).truncate(true).open(&desk.session).unwrap();
            for part in ["tempo", "(", "101", ");"] {
                file.write_all(part.as_bytes()).unwrap();
                file.flush().unwrap();
                thread::sleep(3 * FREQUENT);
            }
            drop(file);
            desk.expect("tempo(101);");
        });
    }

    #[test]
    fn an_emptied_file_is_not_a_session() {
        each_way(|desk| {
            fs::write(&desk.session, "").unwrap();
            thread::sleep(3 * FREQUENT);
            desk.expect_only("tempo(102);");
        });
    }

    #[test]
    fn what_stays_empty_or_removed_is_told_once_and_when_it_is_back() {
        for events in [true, false] {
            let folder = TempDir::new().unwrap();
            let session = folder.path().join("session.rhai");
            fs::write(&session, "tempo(96);").unwrap();
            let (sender, news) = mpsc::channel();
            let watch = Watch::with(events, FREQUENT, move |one| drop(sender.send(one))).unwrap();
            watch.files(std::slice::from_ref(&session));
            let next = || news.recv_timeout(BOUND).expect("it is told of");
            let (gone, back) = (|is_empty| News::Gone { file: session.clone(), is_empty }, News::Back(session.clone()));
            let aside = folder.path().join("aside");
            fs::rename(&session, &aside).unwrap();
            assert_eq!(next(), gone(false));
            thread::sleep(3 * FREQUENT);
            // As it was, at the same size and time.
            fs::rename(&aside, &session).unwrap();
            assert_eq!(next(), back);
            fs::write(&session, "").unwrap();
            assert_eq!(next(), gone(true));
            fs::write(&session, "tempo(97);").unwrap();
            assert_eq!(next(), back);
            let content = Some(b"tempo(97);".to_vec());
            assert_eq!(next(), News::Changed(Changed { file: session.clone(), content }));
        }
    }

    #[test]
    fn saved_unchanged_is_no_change() {
        each_way(|desk| {
            fs::write(&desk.session, "tempo(96);").unwrap();
            let new = desk.folder.path().join("new");
            fs::write(&new, "tempo(96);").unwrap();
            fs::rename(&new, &desk.session).unwrap();
            fs::remove_file(&desk.session).unwrap();
            fs::write(&desk.session, "tempo(96);").unwrap();
            desk.expect_only("tempo(103);");
        });
    }

    #[test]
    fn another_file_in_the_folder_is_no_change() {
        each_way(|desk| {
            fs::write(desk.folder.path().join("other.rhai"), "tempo(1);").unwrap();
            desk.expect_only("tempo(104);");
        });
    }

    #[test]
    fn a_folder_without_events_is_looked_at() {
        let desk = desk(false, FREQUENT);
        fs::write(&desk.session, "tempo(1000);").unwrap();
        desk.expect("tempo(1000);");
        fs::remove_file(&desk.session).unwrap();
        fs::write(&desk.session, "tempo(10000);").unwrap();
        desk.expect("tempo(10000);");
    }

    #[test]
    fn the_set_of_files_can_change() {
        let desk = desk(true, NEVER);
        let import = desk.folder.path().join("drums.rhai");
        fs::write(&import, "1").unwrap();
        desk.watch.files(&[desk.session.clone(), import.clone()]);
        fs::write(&import, "2").unwrap();
        let changed = desk.changes.recv_timeout(BOUND).unwrap();
        assert_eq!((changed.file, changed.content), (import.clone(), Some(b"2".to_vec())));
        desk.watch.files(std::slice::from_ref(&desk.session));
        fs::write(&import, "3").unwrap();
        desk.expect_only("tempo(105);");
    }

    #[test]
    fn a_file_that_appears_later_is_told_of() {
        let desk = desk(true, NEVER);
        let sound = desk.folder.path().join("kick.wav");
        desk.watch.files(&[desk.session.clone(), sound.clone()]);
        fs::write(&sound, vec![1; KEPT as usize + 1]).unwrap();
        let changed = desk.changes.recv_timeout(BOUND).unwrap();
        assert_eq!((changed.file, changed.content), (sound, None), "and is too large to be kept");
    }

    #[cfg(unix)]
    mod links {
        use super::*;
        use std::os::unix::fs::symlink;

        /// A session that is a link into another folder.
        fn linked() -> (TempDir, PathBuf, Desk) {
            let elsewhere = TempDir::new().unwrap();
            let target = elsewhere.path().join("true.rhai");
            fs::write(&target, "tempo(96);").unwrap();
            let folder = TempDir::new().unwrap();
            let session = folder.path().join("session.rhai");
            symlink(&target, &session).unwrap();
            let (watch, changes) = watching(true, NEVER);
            watch.files(std::slice::from_ref(&session));
            (elsewhere, target, Desk { folder, session, watch, changes })
        }

        #[test]
        fn saved_where_the_link_leads() {
            let (elsewhere, target, desk) = linked();
            fs::write(&target, "tempo(106);").unwrap();
            desk.expect("tempo(106);");
            let new = elsewhere.path().join("new");
            fs::write(&new, "tempo(107);").unwrap();
            fs::rename(&new, &target).unwrap();
            desk.expect("tempo(107);");
        }

        #[test]
        fn saved_through_the_link() {
            let (_elsewhere, _, desk) = linked();
            desk.expect_only("tempo(108);");
        }

        #[test]
        fn the_link_is_set_to_another_file_which_is_then_saved() {
            let (elsewhere, _, desk) = linked();
            let (other, link) = (elsewhere.path().join("sub/other.rhai"), desk.folder.path().join("link"));
            fs::create_dir(elsewhere.path().join("sub")).unwrap();
            fs::write(&other, "tempo(109);").unwrap();
            symlink(&other, &link).unwrap();
            fs::rename(&link, &desk.session).unwrap();
            desk.expect("tempo(109);");
            fs::write(&other, "tempo(110);").unwrap();
            desk.expect("tempo(110);");
        }

        #[test]
        fn a_link_to_itself_is_no_hang() {
            let desk = desk(true, NEVER);
            let circle = desk.folder.path().join("circle.rhai");
            symlink(&circle, &circle).unwrap();
            desk.watch.files(&[desk.session.clone(), circle]);
            desk.expect_only("tempo(111);");
        }
    }
}
