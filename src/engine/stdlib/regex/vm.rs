//! A search that can be interrupted.
//!
//! It simulates the automaton state by state, as Pike's machine does: slower
//! than the other engines by a factor, but never stuck in one call. All
//! threads of the machine are moved over one byte together, in the order of
//! their priority, so that the work is at most states times bytes.

use regex_automata::{
    Anchored, Span,
    nfa::thompson::{NFA, State},
    util::primitives::StateID,
};

use crate::engine::{guard, stdlib::native::Fault};

/// A group's begin or end that is not known.
const UNKNOWN: usize = usize::MAX;

/// The groups of the leftmost match in `span` of `text`, the whole match first.
pub(super) fn search(
    nfa: &NFA,
    text: &str,
    span: Span,
    anchored: Anchored,
) -> Result<Option<Vec<Option<Span>>>, Fault> {
    let slots = nfa.group_info().slot_len();
    let mut vm = Vm { nfa, text, scratch: vec![UNKNOWN; slots], stack: Vec::new(), work: 0 };
    let (mut now, mut next) = (Threads::new(nfa, slots), Threads::new(nfa, slots));
    let mut best: Option<Vec<usize>> = None;
    for at in span.start..=span.end {
        let may_begin = if anchored == Anchored::No { text.is_char_boundary(at) } else { at == span.start };
        if best.is_none() && may_begin {
            vm.scratch.fill(UNKNOWN);
            vm.follow(&mut now, nfa.start_anchored(), at)?;
        }
        if now.order.is_empty() && (best.is_some() || anchored != Anchored::No) {
            break;
        }
        let byte = if at < span.end { text.as_bytes().get(at) } else { None };
        if let Some(matched) = vm.step(&now, &mut next, byte.copied(), at)? {
            best = Some(matched);
        }
        std::mem::swap(&mut now, &mut next);
        next.order.clear();
    }
    let group = |pair: &[usize]| (pair[1] != UNKNOWN).then(|| Span { start: pair[0], end: pair[1] });
    Ok(best.map(|slots| slots.chunks_exact(2).map(group).collect()))
}

/// The states the machine is in, in the order of their priority, and the slots of each.
struct Threads {
    order: Vec<StateID>,
    /// Where a state stands in `order`, if it does: what is left of earlier steps is not cleared.
    place: Vec<usize>,
    slots: Vec<usize>,
    width: usize,
}

impl Threads {
    fn new(nfa: &NFA, width: usize) -> Self {
        let states = nfa.states().len();
        Self {
            order: Vec::with_capacity(states),
            place: vec![0; states],
            slots: vec![UNKNOWN; states * width],
            width,
        }
    }

    /// Adds a state behind all others; says whether it was not there.
    fn insert(&mut self, state: StateID) -> bool {
        let place = &mut self.place[state.as_usize()];
        if self.order.get(*place) == Some(&state) {
            return false;
        }
        *place = self.order.len();
        self.order.push(state);
        true
    }

    fn slots(&self, state: StateID) -> &[usize] {
        &self.slots[state.as_usize() * self.width..][..self.width]
    }

    fn set_slots(&mut self, state: StateID, slots: &[usize]) {
        self.slots[state.as_usize() * self.width..][..self.width].copy_from_slice(slots);
    }
}

/// What is left to do while states are followed.
enum Frame {
    Follow(StateID),
    /// The way that set this slot is done: it is as it was before.
    Restore {
        slot: usize,
        value: usize,
    },
}

struct Vm<'a> {
    nfa: &'a NFA,
    text: &'a str,
    /// The slots on the way that is being followed.
    scratch: Vec<usize>,
    stack: Vec<Frame>,
    work: usize,
}

impl Vm<'_> {
    /// Moves all threads over `byte`; gives the slots of the match that ends before it.
    fn step(
        &mut self,
        now: &Threads,
        next: &mut Threads,
        byte: Option<u8>,
        at: usize,
    ) -> Result<Option<Vec<usize>>, Fault> {
        for state in now.order.iter().copied() {
            let to = match self.nfa.state(state) {
                // Threads of lower priority are dropped with the rest of the loop.
                State::Match { .. } => return Ok(Some(now.slots(state).to_vec())),
                State::ByteRange { trans } => {
                    byte.filter(|byte| trans.matches_byte(*byte)).map(|_| trans.next)
                }
                State::Sparse(transitions) => byte.and_then(|byte| transitions.matches_byte(byte)),
                State::Dense(transitions) => byte.and_then(|byte| transitions.matches_byte(byte)),
                _ => None,
            };
            if let Some(to) = to {
                self.scratch.copy_from_slice(now.slots(state));
                self.follow(next, to, at + 1)?;
            }
        }
        Ok(None)
    }

    /// Adds `from` and all that is reached from it without a byte.
    fn follow(&mut self, threads: &mut Threads, from: StateID, at: usize) -> Result<(), Fault> {
        self.stack.push(Frame::Follow(from));
        while let Some(frame) = self.stack.pop() {
            match frame {
                Frame::Restore { slot, value } => self.scratch[slot] = value,
                Frame::Follow(state) => {
                    self.count()?;
                    self.enter(threads, state, at);
                }
            }
        }
        Ok(())
    }

    /// Adds one state; of what it leads to the first in priority comes off the stack first.
    fn enter(&mut self, threads: &mut Threads, state: StateID, at: usize) {
        if !threads.insert(state) {
            return;
        }
        match self.nfa.state(state) {
            State::Look { look, next } => {
                if self.nfa.look_matcher().matches(*look, self.text.as_bytes(), at) {
                    self.stack.push(Frame::Follow(*next));
                }
            }
            State::Union { alternates } => {
                self.stack.extend(alternates.iter().rev().map(|to| Frame::Follow(*to)));
            }
            State::BinaryUnion { alt1, alt2 } => {
                self.stack.extend([Frame::Follow(*alt2), Frame::Follow(*alt1)]);
            }
            State::Capture { next, slot, .. } => {
                let slot = slot.as_usize();
                self.stack.push(Frame::Restore { slot, value: self.scratch[slot] });
                self.scratch[slot] = at;
                self.stack.push(Frame::Follow(*next));
            }
            State::Fail => {}
            State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) | State::Match { .. } => {
                threads.set_slots(state, &self.scratch);
            }
        }
    }

    fn count(&mut self) -> Result<(), Fault> {
        self.work += 1;
        if self.work % (8 * guard::STEPS) == 0 { guard::check() } else { Ok(()) }
    }
}
