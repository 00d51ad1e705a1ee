//! A change chunk taken apart and put together again, rightly sealed whatever it says, so that a
//! test can break one rule at a time.

use sha2::{Digest, Sha256};

/// The body of a change; numbers are written in their shortest form.
#[derive(Debug, Clone)]
pub struct Parts {
    pub deps: Vec<[u8; 32]>,
    pub actor: Vec<u8>,
    pub seq: u64,
    pub start_op: u64,
    pub time: i64,
    pub message: Vec<u8>,
    pub other_actors: Vec<Vec<u8>>,
    pub columns: Vec<(u64, Vec<u8>)>,
    pub extra: Vec<u8>,
}

impl Parts {
    /// Takes a chunk apart that Automerge made.
    pub fn of(chunk: &[u8]) -> Parts {
        let rest = &mut &chunk[9..];
        unsigned(rest);
        let deps = (0..unsigned(rest))
            .map(|_| take(rest, 32).try_into().unwrap())
            .collect();
        let actor = counted(rest);
        let (seq, start_op, time) = (unsigned(rest), unsigned(rest), signed(rest));
        let message = counted(rest);
        let other_actors = (0..unsigned(rest)).map(|_| counted(rest)).collect();
        let table: Vec<_> = (0..unsigned(rest))
            .map(|_| (unsigned(rest), unsigned(rest)))
            .collect();
        let columns = table
            .into_iter()
            .map(|(spec, length)| (spec, take(rest, length).to_vec()))
            .collect();
        Parts {
            deps,
            actor,
            seq,
            start_op,
            time,
            message,
            other_actors,
            columns,
            extra: rest.to_vec(),
        }
    }

    pub fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        put_unsigned(&mut body, self.deps.len() as u64);
        body.extend(self.deps.iter().flatten());
        put_counted(&mut body, &self.actor);
        put_unsigned(&mut body, self.seq);
        put_unsigned(&mut body, self.start_op);
        put_signed(&mut body, self.time);
        put_counted(&mut body, &self.message);
        put_unsigned(&mut body, self.other_actors.len() as u64);
        self.other_actors
            .iter()
            .for_each(|actor| put_counted(&mut body, actor));
        put_unsigned(&mut body, self.columns.len() as u64);
        for (spec, bytes) in &self.columns {
            put_unsigned(&mut body, *spec);
            put_unsigned(&mut body, bytes.len() as u64);
        }
        body.extend(self.columns.iter().flat_map(|(_, bytes)| bytes));
        body.extend(&self.extra);
        body
    }

    pub fn chunk(&self) -> Vec<u8> {
        seal(&self.body())
    }

    /// Replaces a column, adds it in its place, or leaves it out when `bytes` is empty.
    pub fn set(&mut self, spec: u64, bytes: &[u8]) -> &mut Self {
        self.columns.retain(|(other, _)| *other != spec);
        if !bytes.is_empty() {
            self.columns.push((spec, bytes.to_vec()));
            self.columns.sort_by_key(|(spec, _)| *spec);
        }
        self
    }
}

/// Puts type, length, checksum and magic around a body.
pub fn seal(body: &[u8]) -> Vec<u8> {
    let mut hashed = vec![1];
    put_unsigned(&mut hashed, body.len() as u64);
    hashed.extend(body);
    let mut chunk = vec![0x85, 0x6f, 0x4a, 0x83];
    chunk.extend(&Sha256::digest(&hashed)[..4]);
    chunk.extend(hashed);
    chunk
}

pub fn put_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub fn put_signed(out: &mut Vec<u8>, mut value: i64) {
    while !(-64..64).contains(&value) {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8 & 0x7f);
}

fn put_counted(out: &mut Vec<u8>, bytes: &[u8]) {
    put_unsigned(out, bytes.len() as u64);
    out.extend(bytes);
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> &'a [u8] {
    rest.split_off(..length as usize).unwrap()
}

fn counted(rest: &mut &[u8]) -> Vec<u8> {
    let length = unsigned(rest);
    take(rest, length).to_vec()
}

fn unsigned(rest: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = take(rest, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return value;
        }
    }
}

fn signed(rest: &mut &[u8]) -> i64 {
    let before = *rest;
    let value = unsigned(rest) as i64;
    let bits = 7 * (before.len() - rest.len()) as u32;
    if bits >= 64 {
        value
    } else {
        value << (64 - bits) >> (64 - bits)
    }
}
