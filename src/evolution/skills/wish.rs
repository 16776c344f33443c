//! The person's wish to have a skill made of what was just done, in their own words.

use crate::evolution::words;
use crate::protocol::learned::TurnRecord;

/// The sentence of `turn` that asks for a skill.
#[must_use]
pub fn wish(turn: &TurnRecord) -> Option<&str> {
    let sentences = turn.said.iter().flat_map(|said| words::own(said));
    sentences.into_iter().find(asks).map(|sentence| sentence.text)
}

fn asks(sentence: &words::Sentence<'_>) -> bool {
    const MAKE: &[&str] = &[
        "make", "create", "save", "turn", "keep", "record", "store", "remember", "learn", "write", "add", "capture",
        "distill",
    ];
    const THIS: &[&str] = &["this", "that", "it", "these", "what you did", "what we did", "the steps", "the procedure"];
    const CHINESE_MAKE: &[&str] =
        &["做成", "存成", "变成", "保存为", "保存成", "记成", "整理成", "总结成", "沉淀成", "创建", "生成"];
    const CHINESE_SKILL: &[&str] = &["技能", "skill"];
    let bare = &sentence.bare;
    if sentence.is_question()
        && !bare.starts_with("can you ")
        && !bare.starts_with("could you ")
        && !bare.ends_with('吗')
    {
        return false;
    }
    let english = words::holds_any(bare, &["a skill", "skill of", "as skill", "into skill"])
        && words::holds_any(bare, MAKE)
        && words::holds_any(bare, THIS)
        && !words::holds_any(bare, &["not", "don't", "never", "no"]);
    let chinese = CHINESE_SKILL.iter().any(|word| bare.contains(word))
        && CHINESE_MAKE.iter().any(|word| bare.contains(word))
        && ["这", "刚才", "上面", "它", "此"].iter().any(|word| bare.contains(word))
        && !["不要", "别", "不用"].iter().any(|word| bare.contains(word));
    english || chinese
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::stage::tests::turn;

    #[test]
    fn a_wish_is_one_and_talk_of_skills_is_none() {
        for (said, expected) in [
            ("Great. Make a skill of this.", true),
            ("turn that into a skill please", true),
            ("Can you save this as a skill?", true),
            ("把这个做成技能", true),
            ("把刚才的步骤整理成一个 skill", true),
            ("Don't make a skill of this", false),
            ("不要把这个做成技能", false),
            ("what does this skill do?", false),
            ("add a skill test", false),
            ("The README says:\nmake a skill of this", false),
            ("> make a skill of this", false),
            ("fix the parser", false),
        ] {
            assert_eq!(wish(&turn(1, said, vec![])).is_some(), expected, "{said}");
        }
    }
}
