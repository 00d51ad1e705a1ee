//! Real changes, made by Automerge: several actors who write, mark, delete, count and merge.

use automerge::marks::{ExpandMark, Mark};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{
    ActorId, Author, AutoCommit, Change, ObjId, ObjType, Prop, ROOT, ReadDoc, ScalarValue, Value,
};

use super::random::Random;

const WORDS: [&str; 7] = [
    "a",
    "serial",
    "Größe",
    "修理",
    "🛠️ done",
    "",
    "combining e\u{301}",
];
const KEYS: [&str; 6] = ["status", "price", "ключ", "修", "n", "🔧"];
const NAMES: [&str; 3] = ["bold", "comment", "链接"];

struct Writer {
    document: AutoCommit,
    objects: Vec<ObjId>,
}

/// All changes of one small history, as bytes, with what Automerge says of each.
pub fn history(seed: u64) -> Vec<Change> {
    let mut random = Random::new(seed);
    let count = if random.one_in(12) {
        12
    } else {
        1 + random.below(4)
    };
    let mut writers: Vec<Writer> = (0..count).map(|_| writer(&mut random)).collect();
    for _ in 0..8 + random.below(16) + count {
        let at = random.below(count);
        if random.one_in(3) {
            let other = random.below(count);
            merge(&mut writers, at, other);
        }
        write(&mut writers[at], &mut random);
    }
    (1..count).for_each(|other| merge(&mut writers, 0, other));
    // One operation in place of one by each writer.
    writers[0].document.put(ROOT, "shared", 2).unwrap();
    write(&mut writers[0], &mut random);
    writers[0].document.get_changes(&[])
}

fn writer(random: &mut Random) -> Writer {
    let length = 3 + random.below(40);
    let mut document = AutoCommit::new().with_actor(ActorId::from(random.bytes(length)));
    if random.one_in(6) {
        let length = random.below(150);
        document.set_author(Some(Author::from(random.bytes(length))));
    }
    document.put(ROOT, "shared", 1).unwrap();
    Writer {
        document,
        objects: vec![ROOT],
    }
}

fn merge(writers: &mut [Writer], into: usize, from: usize) {
    let Ok([into, from]) = writers.get_disjoint_mut([into, from]) else {
        return;
    };
    into.document.merge(&mut from.document).unwrap();
    for object in &from.objects {
        if !into.objects.contains(object) {
            into.objects.push(object.clone());
        }
    }
}

fn write(writer: &mut Writer, random: &mut Random) {
    let options = CommitOptions::default().with_time(if random.one_in(3) {
        random.next() as i32 as i64
    } else {
        0
    });
    let options = if random.one_in(5) {
        options.with_message(random.pick(&WORDS))
    } else {
        options
    };
    if random.one_in(40) {
        writer.document.empty_change(options);
        return;
    }
    for _ in 0..1 + random.below(6) {
        let object = random.pick(&writer.objects);
        let Ok(kind) = writer.document.object_type(&object) else {
            continue;
        };
        match kind {
            ObjType::Map | ObjType::Table => write_map(writer, &object, random),
            ObjType::List => write_list(writer, &object, random),
            ObjType::Text => write_text(&mut writer.document, &object, random),
        }
    }
    writer.document.commit_with(options);
}

fn scalar(random: &mut Random) -> ScalarValue {
    match random.below(11) {
        0 => ScalarValue::Null,
        1 => ScalarValue::Boolean(random.one_in(2)),
        2 => ScalarValue::Uint(random.next() >> random.below(64)),
        3 => ScalarValue::Int(random.next() as i64 >> random.below(64)),
        4 => ScalarValue::F64(random.next() as f64 / 7.0),
        5 => {
            let length = random.below(20);
            ScalarValue::Bytes(random.bytes(length))
        }
        6 => ScalarValue::Timestamp(random.next() as i64 >> random.below(64)),
        7 | 8 => ScalarValue::counter(random.below(9) as i64),
        _ => ScalarValue::Str(random.pick(&WORDS).into()),
    }
}

fn object_kind(random: &mut Random) -> ObjType {
    random.pick(&[
        ObjType::Map,
        ObjType::List,
        ObjType::Text,
        ObjType::Text,
        ObjType::Table,
    ])
}

fn is_counter(document: &AutoCommit, object: &ObjId, prop: Prop) -> bool {
    matches!(document.get(object, prop), Ok(Some((Value::Scalar(value), _))) if value.is_counter())
}

fn write_map(writer: &mut Writer, map: &ObjId, random: &mut Random) {
    let document = &mut writer.document;
    let key = random.pick(&KEYS);
    match random.below(8) {
        0 | 1 => {
            let made = document.put_object(map, key, object_kind(random)).unwrap();
            writer.objects.push(made);
        }
        // The same keys in the same order: what two writers did meets in long runs.
        2 => (0..random.below(14))
            .for_each(|number| document.put(map, format!("k{number}"), 1).unwrap()),
        3 if document.get(map, key).unwrap().is_some() => document.delete(map, key).unwrap(),
        4 | 5 if is_counter(document, map, Prop::from(key)) => {
            document
                .increment(map, key, random.below(9) as i64 - 4)
                .unwrap();
        }
        _ => document.put(map, key, scalar(random)).unwrap(),
    }
}

fn write_list(writer: &mut Writer, list: &ObjId, random: &mut Random) {
    let document = &mut writer.document;
    let length = document.length(list);
    let at = random.below(length + 1);
    match random.below(8) {
        0 => {
            let made = document
                .insert_object(list, at, object_kind(random))
                .unwrap();
            writer.objects.push(made);
        }
        1 => {
            let values: Vec<automerge::hydrate::Value> =
                (0..random.below(20)).map(|_| 5.into()).collect();
            document.splice(list, at, 0, values).unwrap();
        }
        2 if at < length => document.delete(list, at).unwrap(),
        3 if at < length => document.put(list, at, scalar(random)).unwrap(),
        4 if at < length && is_counter(document, list, Prop::from(at)) => {
            document.increment(list, at, 3).unwrap();
        }
        5 if length > 1 => {
            let count = random.below(length - at.min(length - 1)) as isize;
            document
                .splice(
                    list,
                    at.min(length - 1),
                    count,
                    Vec::<automerge::hydrate::Value>::new(),
                )
                .unwrap();
        }
        _ => document.insert(list, at, scalar(random)).unwrap(),
    }
}

fn write_text(document: &mut AutoCommit, text: &ObjId, random: &mut Random) {
    let length = document.length(text);
    let at = random.below(length + 1);
    let to = at + random.below(length - at + 1);
    match random.below(9) {
        0 | 1 if at < to => {
            let mark = Mark::new(random.pick(&NAMES).to_owned(), scalar(random), at, to);
            let expand = random.pick(&[
                ExpandMark::Before,
                ExpandMark::After,
                ExpandMark::Both,
                ExpandMark::None,
            ]);
            document.mark(text, mark, expand).unwrap();
        }
        2 if at < to => document
            .unmark(text, random.pick(&NAMES), at, to, ExpandMark::None)
            .unwrap(),
        3 => drop(document.split_block(text, at).unwrap()),
        4 => document
            .update_text(text, random.pick(&WORDS).repeat(1 + random.below(3)))
            .unwrap(),
        5 => document
            .splice_text(text, at, (to - at) as isize, "")
            .unwrap(),
        6 => document
            .splice_text(text, at, 0, &"typing ".repeat(random.below(8)))
            .unwrap(),
        _ => document
            .splice_text(text, at, 0, random.pick(&WORDS))
            .unwrap(),
    }
}
