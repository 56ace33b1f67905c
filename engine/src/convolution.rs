//! Convolution with a response of any length and no latency: filters of linear phase, the sound of rooms.
//!
//! The response is cut into partitions (Gardner 1995, "Efficient Convolution without Input-Output Delay"). The first 64 taps
//! are convolved directly; behind them come six partitions each of 64, 256, 1024 and 4096 frames, and the rest in partitions
//! of 16 384. Input is gathered into blocks of each of these sizes. While the next block is being gathered, the one before is
//! transformed, multiplied with the partitions and transformed back, an equal share of the work in every quantum: what a
//! quantum costs hardly varies, and which step is done in which quantum never does.
//!
//! A real block of B frames takes a complex transform of B only: products are taken modulo `z^B - i`, where the first half of
//! a convolution is the real part and its second half the imaginary one (the right-angle circular convolution of Murakami
//! 1996). The transform is done in columns and rows, some of which are a step.

use std::sync::Arc;

use crate::keep::{Keep, Ledger};
use crate::kernel::QUANTUM;
use crate::rest;
use crate::wide::wide;

use transform::{ABREAST, Transform};

mod transform;
mod ways;

pub use transform::{Bins, Rounded, Spectrum};
pub use ways::Ways;

/// Partitions of each size but the last.
const PARTITIONS: usize = 6;

/// How much longer the partitions of a size are than those of the one before.
const GROWTH: usize = 4;

/// The longest partitions, in frames.
const LONGEST: usize = 16_384;

/// Partitions that one step multiplies with.
const TOGETHER: usize = 4;

/// What half of a transform costs, in products of as much with one partition.
const HALF_COST: usize = 3;

/// An impulse response, cut and transformed. One serves any number of convolvers. Its spectra, and those of what goes through
/// it, are kept as [`Bins`], where every bit counts, or [`Rounded`], where it is long.
///
/// One whose first [`QUANTUM`] taps are silent has no direct part and costs less by it: where a delay of a quantum does no
/// harm, prepend that many zeros.
pub struct Response<S> {
    /// The first taps, the last of them first; `None` when they are silent.
    head: Option<[f64; QUANTUM]>,
    sizes: Vec<Size<S>>,
}

/// The partitions of one length.
struct Size<S> {
    transform: Transform,
    /// How many partitions there are.
    partitions: usize,
    /// Those of them that are not silent.
    sounding: Vec<usize>,
    /// The spectra of all, in order.
    spectra: Box<[S]>,
    /// What is done for a block.
    steps: Box<[Step]>,
}

impl<S: Spectrum> Response<S> {
    /// Cuts up and transforms a response. Not RT.
    pub fn new(taps: &[f64]) -> Self {
        let mut head = [0.0; QUANTUM];
        head.iter_mut().rev().zip(taps).for_each(|(kept, tap)| *kept = *tap);
        let (mut sizes, mut rest, mut block) = (Vec::new(), taps.get(QUANTUM..).unwrap_or_default(), QUANTUM);
        while !rest.is_empty() {
            let is_last = rest.len() <= PARTITIONS * block || block == LONGEST;
            let (here, behind) = rest.split_at(if is_last { rest.len() } else { PARTITIONS * block });
            sizes.push(Size::new(here, block));
            (rest, block) = (behind, block * GROWTH);
        }
        Response { head: head.iter().any(|tap| *tap != 0.0).then_some(head), sizes }
    }

    /// Quanta of silence after which nothing of what was before is left, under way or coming out.
    fn memory(&self) -> usize {
        let blocks = |size: &Size<S>| (size.partitions + 4) * size.transform.frames() / QUANTUM;
        self.sizes.iter().map(blocks).max().unwrap_or(0) + 2
    }
}

impl<S: Spectrum> Size<S> {
    fn new(taps: &[f64], block: usize) -> Self {
        let transform = Transform::new(block);
        let partitions = taps.len().div_ceil(block);
        let (mut sounding, mut spectra) = (Vec::new(), Vec::with_capacity(partitions * block / ABREAST));
        let (mut work, mut space) = (vec![Bins::default(); block / ABREAST], transform.space());
        for (i, taps) in taps.chunks(block).enumerate() {
            if taps.iter().any(|tap| *tap != 0.0) {
                sounding.push(i);
            }
            let mut whole = vec![0.0; block];
            // What a transform there and back multiplies by is taken off here.
            whole.iter_mut().zip(taps).for_each(|(kept, tap)| *kept = tap / block as f64);
            (0..transform.groups()).for_each(|group| transform.columns(group, &whole, &mut work, &mut space));
            (0..transform.groups()).for_each(|group| transform.rows(group, &mut work));
            spectra.extend(work.iter().map(S::kept));
        }
        let steps = steps(transform.groups(), sounding.len());
        Size { transform, partitions, sounding, spectra: spectra.into(), steps }
    }

    /// What a block costs. RT.
    fn cost(&self) -> usize {
        self.transform.groups() * (4 * HALF_COST + self.sounding.len())
    }
}

/// The work on a block, in the order in which it is done: for so many groups, with so many partitions.
fn steps(groups: usize, sounding: usize) -> Box<[Step]> {
    let products = |group| {
        let firsts = (0..sounding).step_by(TOGETHER);
        firsts.map(move |first| Step::Products { group, first, end: (first + TOGETHER).min(sounding) })
    };
    let rows = |group| std::iter::once(Step::Rows(group)).chain(products(group)).chain([Step::RowsBack(group)]);
    let columns = (0..groups).map(Step::Columns);
    columns.chain((0..groups).flat_map(rows)).chain((0..groups).map(Step::ColumnsBack)).collect()
}

/// A step of the work on a block: what is done with a group of its columns, or of its rows.
#[derive(Clone, Copy)]
enum Step {
    Columns(usize),
    Rows(usize),
    /// Products with some of the partitions that sound.
    Products {
        group: usize,
        first: usize,
        end: usize,
    },
    RowsBack(usize),
    ColumnsBack(usize),
}

impl Step {
    /// What it costs. RT.
    fn cost(self) -> usize {
        match self {
            Step::Products { first, end, .. } => end - first,
            Step::Columns(_) | Step::Rows(_) | Step::RowsBack(_) | Step::ColumnsBack(_) => HALF_COST,
        }
    }
}

/// One channel on its way through a [`Response`].
pub struct Convolver<S> {
    response: Arc<Response<S>>,
    /// Whether it has heard nothing yet.
    is_new: bool,
    /// Quanta of silence in a row, and how many of them it takes until it is as new.
    quiet: usize,
    memory: usize,
    /// The quantum before and the present one, as far as it has come.
    recent: [f64; 2 * QUANTUM],
    /// Frames of the present quantum gone by.
    at: usize,
    /// What all blocks give in the present quantum.
    coming: [f64; QUANTUM],
    blocks: Vec<Block<S>>,
}

/// What is under way for the partitions of one length.
struct Block<S> {
    /// What is being gathered, in quanta.
    gathered: Box<[f64]>,
    turn: usize,
    /// What is being worked on: steps done, and what they cost.
    taken: Box<[f64]>,
    work: Box<[Bins]>,
    step: usize,
    spent: usize,
    /// The spectra of as many past blocks as there are partitions, going round; the newest; how many there are.
    past: Box<[S]>,
    newest: usize,
    heard: usize,
    /// What the block before has still to give.
    over: Box<[f64]>,
    /// What comes out next.
    next: Box<[f64]>,
    /// What comes out now, and how much of it has.
    out: Box<[f64]>,
    played: usize,
    space: Box<[Bins]>,
}

impl<S: Spectrum> Keep for Convolver<S> {
    fn keep(&mut self, ledger: &mut Ledger) {
        if ledger.is_noting() {
            if !self.is_new {
                ledger.fail();
            }
            return;
        }
        self.is_new.keep(ledger);
        ledger.index(&mut self.quiet, self.memory + 1);
        self.recent.keep(ledger);
        ledger.index(&mut self.at, QUANTUM);
        self.coming.keep(ledger);
        for (size, block) in self.response.sizes.iter().zip(&mut self.blocks) {
            block.keep(size, ledger);
        }
    }
}

impl<S: Spectrum> Convolver<S> {
    /// A convolver that has heard nothing; a quantum begins with its first frame. Not RT.
    pub fn new(response: Arc<Response<S>>) -> Self {
        let blocks = response.sizes.iter().map(Block::new).collect();
        let (recent, coming) = ([0.0; 2 * QUANTUM], [0.0; QUANTUM]);
        let memory = response.memory();
        Convolver { response, is_new: true, quiet: memory, memory, recent, at: 0, coming, blocks }
    }

    /// Says at which transport frame it begins, if it has heard nothing yet. Whenever that is, blocks are cut at the same places
    /// of the transport: once it remembers whole blocks, it gives the same bits as what began earlier. RT.
    pub fn begin(&mut self, frame: u64) {
        if std::mem::replace(&mut self.is_new, false) {
            let quantum = (frame as i64).div_euclid(QUANTUM as i64);
            self.blocks.iter_mut().for_each(|block| block.begin(quantum));
        }
    }

    /// Convolves a stretch of any length in place. RT.
    pub fn process(&mut self, frames: &mut [f64]) {
        let mut rest = frames;
        while !rest.is_empty() {
            let here = rest.len().min(QUANTUM - self.at);
            let (now, later) = rest.split_at_mut(here);
            self.convolve(now);
            if self.at == QUANTUM {
                self.turn();
            }
            rest = later;
        }
    }

    /// Convolves what belongs to one quantum. RT.
    fn convolve(&mut self, frames: &mut [f64]) {
        let Convolver { response, recent, coming, at, .. } = self;
        recent[QUANTUM + *at..][..frames.len()].copy_from_slice(frames);
        let coming = &coming[*at..][..frames.len()];
        match &response.head {
            Some(head) => wide(
                #[inline(always)]
                || {
                    let mut sums = [0.0; QUANTUM];
                    sums[..coming.len()].copy_from_slice(coming);
                    let sound = &recent[*at + 1..];
                    // A whole quantum, as it mostly is, keeps its sums in registers.
                    match frames.len() {
                        QUANTUM => add_products(head, sound, &mut sums),
                        some => add_products(head, sound, &mut sums[..some]),
                    }
                    frames.copy_from_slice(&sums[..frames.len()]);
                },
            ),
            // The sum as if the head were silent, a zero's sign included.
            None => frames.iter_mut().zip(coming).for_each(|(x, coming)| *x = 0.0 + coming),
        }
        *at += frames.len();
    }

    /// Forgets all sound. RT.
    pub fn reset(&mut self) {
        self.recent.fill(0.0);
        self.coming.fill(0.0);
        (self.at, self.is_new, self.quiet) = (0, true, self.memory);
        self.blocks.iter_mut().for_each(Block::reset);
    }

    /// Does the work that is due when a quantum is full. RT.
    fn turn(&mut self) {
        let (before, present) = self.recent.split_at_mut(QUANTUM);
        let was_as_new = self.quiet == self.memory;
        self.quiet = if rest::is_silent(present) { (self.quiet + 1).min(self.memory) } else { 0 };
        if self.quiet == self.memory {
            match was_as_new {
                true => (self.at, self.is_new) = (0, true),
                false => self.reset(),
            }
            return;
        }
        self.coming.fill(0.0);
        for (size, block) in self.response.sizes.iter().zip(&mut self.blocks) {
            block.take(size, present);
            block.give(&mut self.coming);
        }
        before.copy_from_slice(present);
        self.at = 0;
    }
}

impl<S: Spectrum> Block<S> {
    fn new(size: &Size<S>) -> Self {
        let frames = size.transform.frames();
        let silence = || vec![0.0; frames].into_boxed_slice();
        Block {
            gathered: silence(),
            turn: 0,
            taken: silence(),
            work: vec![Bins::default(); frames / ABREAST].into(),
            step: 0,
            spent: 0,
            past: vec![S::default(); size.partitions * frames / ABREAST].into(),
            newest: 0,
            heard: 0,
            over: silence(),
            next: silence(),
            played: frames,
            out: silence(),
            space: size.transform.space(),
        }
    }

    /// Begins with a quantum of the transport, in the middle of a block whose beginning was silent. RT.
    fn begin(&mut self, quantum: i64) {
        self.turn = quantum.rem_euclid((self.gathered.len() / QUANTUM) as i64) as usize;
    }

    fn reset(&mut self) {
        self.gathered.fill(0.0);
        self.over.fill(0.0);
        (self.turn, self.newest, self.heard, self.played) = (0, 0, 0, self.out.len());
    }

    fn keep(&mut self, size: &Size<S>, ledger: &mut Ledger) {
        [&mut self.gathered, &mut self.taken, &mut self.over, &mut self.next, &mut self.out]
            .into_iter()
            .for_each(|frames| frames.keep(ledger));
        self.work.keep(ledger);
        self.past.keep(ledger);
        ledger.index(&mut self.turn, self.gathered.len() / QUANTUM);
        ledger.index(&mut self.step, size.steps.len() + 1);
        ledger.index(&mut self.spent, size.cost() + 1);
        ledger.index(&mut self.newest, size.partitions);
        ledger.index(&mut self.heard, size.partitions + 1);
        ledger.index(&mut self.played, self.out.len() + 1);
    }

    /// Takes a quantum in, and does this quantum's share of the work on the block before. With the last share what it gives
    /// begins to come out. RT.
    fn take(&mut self, size: &Size<S>, quantum: &[f64]) {
        let quanta = self.gathered.len() / QUANTUM;
        self.gathered[self.turn * QUANTUM..][..QUANTUM].copy_from_slice(quantum);
        self.turn += 1;
        if self.turn == quanta {
            self.turn = 0;
            std::mem::swap(&mut self.gathered, &mut self.taken);
            (self.step, self.spent) = (0, 0);
            self.newest = (self.newest + 1) % size.partitions;
            self.heard = (self.heard + 1).min(size.partitions);
        }
        if self.heard > 0 {
            let due = size.cost() * (self.turn + 1) / quanta;
            while self.spent < due
                && let Some(&step) = size.steps.get(self.step)
            {
                self.work(size, step);
                self.step += 1;
                self.spent += step.cost();
            }
            if self.turn + 1 == quanta {
                std::mem::swap(&mut self.next, &mut self.out);
                self.played = 0;
            }
        }
    }

    /// Does one step. RT.
    fn work(&mut self, size: &Size<S>, step: Step) {
        let (transform, block) = (&size.transform, self.work.len());
        match step {
            Step::Columns(group) => transform.columns(group, &self.taken, &mut self.work, &mut self.space),
            Step::Rows(group) => {
                let rows = transform.row_group(group);
                transform.rows(group, &mut self.work);
                wide(
                    #[inline(always)]
                    || {
                        let past = self.past[self.newest * block..][rows.clone()].iter_mut();
                        past.zip(&self.work[rows.clone()]).for_each(|(past, bins)| *past = S::kept(bins));
                    },
                );
                self.work[rows].fill(Bins::default());
            }
            Step::Products { group, first, end } => {
                let rows = transform.row_group(group);
                let mut pairs = [(&[][..], &[][..]); TOGETHER];
                let heard = size.sounding[first..end].iter().take_while(|partition| **partition < self.heard);
                let mut count = 0;
                for (pair, partition) in pairs.iter_mut().zip(heard) {
                    let ago = (self.newest + size.partitions - partition) % size.partitions;
                    *pair = (&self.past[ago * block..][rows.clone()], &size.spectra[partition * block..][rows.clone()]);
                    count += 1;
                }
                add_spectra(&pairs[..count], &mut self.work[rows]);
            }
            Step::RowsBack(group) => transform.rows_back(group, &mut self.work),
            Step::ColumnsBack(group) => {
                let Block { work, space, next, over, .. } = self;
                transform.columns_back(group, work, space, next, over);
            }
        }
    }

    /// Adds what comes out in the next quantum. RT.
    fn give(&mut self, quantum: &mut [f64; QUANTUM]) {
        if let Some(out) = self.out.get(self.played..self.played + QUANTUM) {
            quantum.iter_mut().zip(out).for_each(|(sum, x)| *sum += x);
            self.played += QUANTUM;
        }
    }
}

/// Adds products of spectra, one pair after the other. RT.
fn add_spectra<S: Spectrum>(pairs: &[(&[S], &[S])], sums: &mut [Bins]) {
    wide(
        #[inline(always)]
        || {
            for (i, sum) in sums.iter_mut().enumerate() {
                let mut so_far = *sum;
                for (past, taps) in pairs {
                    so_far = so_far.plus(&past[i].times(&taps[i]));
                }
                *sum = so_far;
            }
        },
    );
}

/// Adds the sum of all products of taps with the sound that begins one frame later for each next sum, tap by tap. RT.
#[inline(always)]
fn add_products(taps: &[f64; QUANTUM], sound: &[f64], sums: &mut [f64]) {
    for (tap, sound) in taps.iter().zip(sound.windows(sums.len())) {
        for (sum, x) in sums.iter_mut().zip(sound) {
            *sum += tap * x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use crate::test_signals::{impulse, noise};
    use crate::wide::tests::plainly;

    /// Taps of a room: noise that decays.
    fn taps(length: usize) -> Vec<f64> {
        noise(9, length).iter().enumerate().map(|(i, x)| x * math::exp(-3.0 * i as f64 / length as f64)).collect()
    }

    fn convolved<S: Spectrum>(taps: &[f64], input: &[f64], stretches: &[usize]) -> Vec<f64> {
        let mut convolver = Convolver::new(Arc::new(Response::<S>::new(taps)));
        let (mut output, mut done) = (input.to_vec(), 0);
        for stretch in stretches.iter().cycle() {
            let end = (done + stretch).min(output.len());
            convolver.process(&mut output[done..end]);
            done = end;
            if done == output.len() {
                break;
            }
        }
        output
    }

    #[test]
    fn it_equals_the_direct_sum_to_the_last_bits_for_responses_of_every_length_or_to_140_db_rounded() {
        for length in [1, 63, 64, 65, 448, 449, 1984, 2100, 8200, 40_000, 60_000] {
            let (taps, input) = (taps(length), noise(2, length + 30_000));
            let output = convolved::<Bins>(&taps, &input, &[64]);
            let rounded = convolved::<Rounded>(&taps, &input, &[64]);
            let (mut power, mut wrong) = (0.0, 0.0);
            // Frames that are as good as chosen by lot.
            for n in (0..input.len()).step_by(1 + input.len() / 97) {
                let direct: f64 = taps.iter().zip(input[..=n].iter().rev()).map(|(tap, x)| tap * x).sum();
                assert!((output[n] - direct).abs() < 1e-11, "{length} taps, frame {n}: {} for {direct}", output[n]);
                power += direct * direct;
                wrong += (rounded[n] - direct) * (rounded[n] - direct);
            }
            assert!(wrong < 1e-14 * power, "{length} taps: {} dB", math::db_from_gain(math::sqrt(wrong / power)));
        }
    }

    #[test]
    fn after_its_memory_of_silence_it_is_as_new_and_may_rest() {
        for length in [10, 500, 9000] {
            let response = Arc::new(Response::<Bins>::new(&taps(length)));
            let (mut old, mut new) = (Convolver::new(Arc::clone(&response)), Convolver::new(response));
            let mut noted = Ledger::noting(|ledger| old.keep(ledger));
            let mut run = |convolver: &mut Convolver<Bins>, quantum: u64, frames: &mut [f64]| {
                convolver.begin(quantum * QUANTUM as u64);
                convolver.process(frames);
                noted.note(|ledger| convolver.keep(ledger))
            };
            let first = (0..).find(|quantum| {
                let mut sound = if *quantum == 0 { noise(1, QUANTUM) } else { vec![0.0; QUANTUM] };
                run(&mut old, *quantum, &mut sound)
            });
            let first = first.unwrap();
            assert!((length / QUANTUM..3 * length / QUANTUM + 10).contains(&(first as usize)), "{length}: {first}");
            for quantum in first + 3..first + 300 {
                let (mut one, mut other) = (noise(quantum, QUANTUM), noise(quantum, QUANTUM));
                run(&mut old, quantum, &mut one);
                run(&mut new, quantum, &mut other);
                assert!(one == other, "{length} taps, quantum {quantum}");
            }
        }
    }

    #[test]
    fn an_impulse_gives_the_response_at_once() {
        for length in [1, 500, 5000] {
            let output = convolved::<Bins>(&taps(length), &impulse(length + 100), &[64]);
            let mut expected = taps(length);
            expected.resize(length + 100, 0.0);
            let off = output.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(off < 1e-14, "{length} taps are off by {off}");
        }
    }

    #[test]
    fn as_wide_as_the_processor_can_and_as_every_one_can_give_the_same_bits() {
        fn both<S: Spectrum>() {
            let (taps, input) = (taps(40_000), noise(8, 60_000));
            let run = || convolved::<S>(&taps, &input, &[64]);
            assert!(run() == plainly(run));
        }
        both::<Bins>();
        both::<Rounded>();
    }

    #[test]
    fn stretches_of_any_length_give_the_same_bits() {
        let (taps, input) = (taps(9000), noise(3, 30_000));
        let whole = convolved::<Bins>(&taps, &input, &[input.len()]);
        for stretches in [&[1][..], &[17], &[64], &[480], &[5, 1, 64, 63, 300]] {
            assert!(convolved::<Bins>(&taps, &input, stretches) == whole, "{stretches:?}");
        }
    }

    #[test]
    fn whenever_it_begins_it_gives_the_same_bits_once_every_block_it_remembers_is_whole() {
        let (taps, input) = (taps(9000), noise(6, 30_000));
        let mut early = input.clone();
        Convolver::new(Arc::new(Response::<Bins>::new(&taps))).process(&mut early);
        for begin in [64, 640, 5056] {
            let mut late = input[begin..].to_vec();
            let mut convolver = Convolver::new(Arc::new(Response::<Bins>::new(&taps)));
            convolver.begin(begin as u64);
            convolver.process(&mut late);
            // What it begins in the middle of is rounded another way, until it is forgotten.
            let whole = 9000 + 2 * 4096;
            assert!(late[whole..] == early[begin + whole..], "from frame {begin}");
            assert!(late[9000..].iter().zip(&early[begin + 9000..]).all(|(a, b)| (a - b).abs() < 1e-12));
        }
    }

    #[test]
    fn the_head_of_a_response_that_begins_in_silence_is_left_out() {
        let mut late = vec![0.0; QUANTUM];
        late.extend(taps(3000));
        assert!(Response::<Bins>::new(&late).head.is_none() && Response::<Bins>::new(&taps(3000)).head.is_some());
        let (input, output) = (noise(4, 6000), convolved::<Bins>(&late, &noise(4, 6000), &[64]));
        let prompt = convolved::<Bins>(&taps(3000), &input, &[64]);
        assert!(output[QUANTUM..].iter().zip(&prompt).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!(output[..QUANTUM].iter().all(|x| *x == 0.0));
    }

    #[test]
    fn silence_between_reflections_costs_no_products() {
        let mut sparse = vec![0.0; 100_000];
        (sparse[0], sparse[99_999]) = (1.0, 0.5);
        let sounding: Vec<usize> =
            Response::<Bins>::new(&sparse).sizes.iter().map(|size| size.sounding.len()).collect();
        assert_eq!(sounding, [0, 0, 0, 0, 1]);
    }

    #[test]
    fn every_quantum_does_its_share_of_the_work_and_no_more() {
        let response = Arc::new(Response::<Bins>::new(&taps(100_000)));
        let mut convolver = Convolver::new(Arc::clone(&response));
        convolver.process(&mut noise(1, 3 * LONGEST));
        for (size, block) in response.sizes.iter().zip(&mut convolver.blocks) {
            let quanta = block.taken.len() / QUANTUM;
            let (share, step) = (size.cost() / quanta, HALF_COST.max(TOGETHER));
            for _ in 0..3 * quanta {
                let before = if block.turn + 1 == quanta { 0 } else { block.spent };
                block.take(size, &[0.5; QUANTUM]);
                let spent = block.spent - before;
                assert!(spent <= share + step, "{spent} of {share} in a block of {quanta} quanta");
            }
        }
    }

    #[test]
    fn it_is_as_new_after_a_reset_and_allocates_nothing() {
        let (taps, input) = (taps(9000), noise(5, 20_000));
        let mut convolver = Convolver::new(Arc::new(Response::<Bins>::new(&taps)));
        let (mut first, mut poison, mut again) = (input.clone(), vec![f64::NAN; 5000], input);
        assert_no_alloc::assert_no_alloc(|| {
            convolver.process(&mut first);
            convolver.process(&mut poison);
            convolver.reset();
            convolver.process(&mut again);
        });
        assert!(first == again);
    }
}
