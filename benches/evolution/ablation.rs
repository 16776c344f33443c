//! The same without one memory: what each of them carries.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hone::protocol::learned::{MemoryKind, MemoryState};

use crate::arm::Arm;
use crate::course;
use crate::lab::Lab;
use crate::pipeline::Pipeline;
use crate::task::{ROUNDS, Task, tasks};

/// A table: by kind, how many memories there were, and how many tasks went wrong without one.
pub fn report(seeds: &[u64]) -> String {
    let mut kinds: BTreeMap<&'static str, [usize; 3]> = BTreeMap::new();
    for seed in seeds {
        let (_, lab) = course::run(*seed, Arm::Full, &Pipeline::whole(), &[]);
        let tasks = tasks(*seed, false);
        let with_all = battery(&lab, &tasks);
        for memory in lab.active() {
            lab.put(memory.clone(), MemoryState::Retired("left out".to_owned()));
            let without = battery(&lab, &tasks);
            let lost = with_all.iter().zip(&without).filter(|(with, without)| **with && !**without).count();
            let row = kinds.entry(name(memory.kind)).or_default();
            row[0] += 1;
            row[1] += usize::from(lost > 0);
            row[2] += lost;
            let left_out = lab.memories().into_iter().find(|other| other.id == memory.id).unwrap();
            lab.put(left_out, memory.state);
        }
    }
    let mut table = format!(
        "\n## Without one memory\n\nLeft out one after the other at the end of {} courses of `full`. Two memories that say the same \
         can stand in for each other.\n\n| kind | memories | a task went wrong without it | tasks |\n|---|--:|--:|--:|\n",
        seeds.len()
    );
    for (kind, [memories, needed, lost]) in kinds {
        writeln!(table, "| {kind} | {memories} | {needed} | {lost} |").unwrap();
    }
    table
}

/// All tasks once, as they are at the end.
fn battery(lab: &Lab, tasks: &[Task]) -> Vec<bool> {
    (0..tasks.len()).map(|task| lab.ask(&lab.project(), tasks, task, ROUNDS - 1)).collect()
}

const fn name(kind: MemoryKind) -> &'static str {
    match kind {
        MemoryKind::Fact => "fact",
        MemoryKind::Rule => "rule",
        MemoryKind::Preference => "preference",
        MemoryKind::Pitfall => "pitfall",
        MemoryKind::Reference => "reference",
    }
}
