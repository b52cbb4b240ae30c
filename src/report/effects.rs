//! What each variant does to the herd, as a reader, a program and a table want it.
//!
//! Everything is of `experiment::effect`: recycle spikes, paired by seed, from where the variant's course
//! leaves the baseline's. A record of history that the simulation contradicts gets a line of its own.

use super::font::printable;
use super::text::{Paint, cells, escaped, range, section, short, table, trimmed};
use super::{Header, SCHEMA_VERSION, human};
use crate::engine::time::Time;
use crate::experiment::effect::{Doubt, Effect, HerdChange, Recycling};
use crate::experiment::statistics::Mean;
use serde_json::{Value, json};

/// Longer names are cut.
const NAME: usize = 28;
const HEAD: [&str; 5] = ["variant", "effect", "recycle spikes", "lasting", "counted from"];

/// `cures`, `delays by 1h30m`, `no change`.
fn words(change: HerdChange) -> String {
    match change {
        HerdChange::Delays(by) => format!("delays by {}", human::offset(by.as_secs())),
        other => other.name().replace('-', " "),
    }
}

/// `4–6 → 0`: over the seeds of the baseline, and of the variant.
fn course(effect: &Effect, value: fn(&Recycling) -> f64, text: &dyn Fn(f64) -> String) -> String {
    let of = |values: Vec<f64>| range(&values, text);
    // Where nobody was served there is nothing to count.
    let value = |one: &Recycling| if one.served { value(one) } else { f64::NAN };
    let before = of(effect.pairs.iter().map(|pair| value(&pair.0)).collect());
    format!("{before} → {}", of(effect.pairs.iter().map(|pair| value(&pair.1)).collect()))
}

fn row(effect: &Effect) -> [String; 5] {
    [
        printable(&effect.variant),
        words(effect.change),
        course(effect, |one| one.spikes as f64, &human::number),
        course(effect, |one| one.seconds, &human::offset),
        if effect.from == Time::ZERO { "the start".to_owned() } else { human::offset(effect.from.as_secs()) },
    ]
}

/// What a reader must know besides: where history says otherwise, and that one seed is one seed.
fn notes(effects: &[Effect]) -> Vec<String> {
    let against = |effect: &Effect| {
        let history = effect.history.filter(|_| effect.agrees() == Some(false))?;
        let (variant, recorded) = (printable(&effect.variant), history.name().replace('-', " "));
        Some(format!("{variant}: history says “{recorded}”, the simulation “{}”", words(effect.change)))
    };
    let mut notes: Vec<String> = effects.iter().filter_map(against).collect();
    notes.extend(doubts(effects));
    notes.push("recycle spikes: those of all services beside a storm of cause lifetime".to_owned());
    if effects.iter().any(|effect| effect.pairs.len() == 1) {
        notes.push("one seed: compared plainly; another seed may tell otherwise".to_owned());
    }
    notes
}

/// Of which variants nobody can tell, and why.
fn doubts(effects: &[Effect]) -> Vec<String> {
    let of = |doubt: Doubt| {
        let mine = effects.iter().filter(|effect| effect.change == HerdChange::CannotTell(doubt));
        let names: Vec<String> = mine.map(|effect| printable(&effect.variant)).collect();
        (!names.is_empty()).then(|| format!("cannot tell ({}): {}", names.join(", "), doubt.name()))
    };
    [Doubt::NoTime, Doubt::NobodyServed, Doubt::BaselineSaturated, Doubt::VariantSaturated]
        .into_iter()
        .filter_map(of)
        .collect()
}

fn baseline(effects: &[Effect]) -> String {
    effects.first().map_or_else(String::new, |effect| printable(&effect.baseline))
}

/// Whether there is anything to tell: a recycle spike somewhere, or a record of history.
fn tells(effects: &[Effect]) -> bool {
    let spikes =
        |effect: &Effect| effect.pairs.iter().any(|(before, after)| before.spikes + after.spikes > 0);
    effects.iter().any(|effect| spikes(effect) || effect.history.is_some())
}

/// What is said where there is nothing to tell.
fn nothing(effects: &[Effect]) -> &'static str {
    match effects.iter().any(|effect| matches!(effect.change, HerdChange::CannotTell(_))) {
        true => "no recycle spikes in any variant, which tells nothing where users are not served",
        false => "no recycle spikes in any variant",
    }
}

/// A section for the terminal; nothing where there is nothing to compare.
pub fn text(effects: &[Effect], paint: Paint) -> String {
    if effects.is_empty() {
        return String::new();
    }
    let title = format!("EFFECTS, against {}", baseline(effects));
    if !tells(effects) {
        return section(&title, format!("   {}\n", nothing(effects)), paint);
    }
    let mut table = table(&HEAD);
    for effect in effects {
        let mut row = row(effect);
        row[0] = short(&row[0], NAME);
        table.add_row(cells(&row));
    }
    let notes: String = notes(effects).iter().map(|note| format!("   {note}\n")).collect();
    section(&title, format!("{}{notes}", trimmed(&table)), paint)
}

/// The same as a Markdown table.
pub fn markdown(effects: &[Effect]) -> String {
    if effects.is_empty() {
        return String::new();
    }
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = format!("\nEffects, against **{}**:\n\n", escaped(&baseline(effects)));
    if !tells(effects) {
        return format!("{text}- {}\n", nothing(effects));
    }
    text += &line(&HEAD.map(str::to_owned));
    text += "| --- | --: | --: | --: | --: |\n";
    text += &effects.iter().map(|effect| line(&row(effect).map(|cell| escaped(&cell)))).collect::<String>();
    text + "\n" + &notes(effects).iter().map(|note| format!("- {}\n", escaped(note))).collect::<String>()
}

/// `effects.json`.
pub fn json(effects: &[Effect]) -> Value {
    json!({ "schema_version": SCHEMA_VERSION, "effects": rows(effects) })
}

/// The same for a program: `effects` of `compare --format json`.
pub fn rows(effects: &[Effect]) -> Value {
    let side = |one: &Recycling| {
        json!({
            "spikes": one.served.then_some(one.spikes), "spikes_s": one.served.then_some(one.seconds),
            "herds": one.herds, "served": one.served,
            "first_s": one.first.map(|at| at.as_secs()),
        })
    };
    let difference = |one: Mean| json!({ "mean": one.mean, "ci95": one.interval });
    let one = |effect: &Effect| {
        let pairs = effect.pairs.iter();
        json!({
            "variant": effect.variant, "baseline": effect.baseline, "effect": effect.change.name(),
            "because": because(effect.change), "delay_s": delay_s(effect.change),
            "from_s": effect.from.as_secs(), "seeds": effect.pairs.len(),
            "spikes_diff": difference(effect.spikes()), "spikes_s_diff": difference(effect.seconds()),
            "pairs": pairs.map(|(a, b)| json!({ "baseline": side(a), "variant": side(b) })).collect::<Vec<_>>(),
            "history": effect.history.map(|history| history.name()), "agrees": effect.agrees(),
        })
    };
    effects.iter().map(one).collect()
}

fn because(change: HerdChange) -> Option<&'static str> {
    if let HerdChange::CannotTell(doubt) = change { Some(doubt.name()) } else { None }
}

fn delay_s(change: HerdChange) -> Option<f64> {
    if let HerdChange::Delays(by) = change { Some(by.as_secs()) } else { None }
}

/// `effects.csv`: one row a variant, over its seeds.
pub fn csv(header: &Header, effects: &[Effect]) -> String {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let rows = effects.iter().map(|effect| {
        let mean = |pick: &dyn Fn(&(Recycling, Recycling)) -> f64| {
            let sum: f64 = effect.pairs.iter().map(pick).sum();
            let all_served = effect.pairs.iter().all(|(before, after)| before.served && after.served);
            number(all_served.then_some(sum / effect.pairs.len() as f64))
        };
        let mut cells = vec![header.scenario.clone(), effect.variant.clone(), effect.baseline.clone()];
        cells.extend([effect.pairs.len().to_string(), effect.change.name().to_owned()]);
        cells.extend([number(delay_s(effect.change)), number(Some(effect.from.as_secs()))]);
        cells.extend([mean(&|pair| pair.0.spikes as f64), mean(&|pair| pair.1.spikes as f64)]);
        cells.extend([mean(&|pair| pair.0.seconds), mean(&|pair| pair.1.seconds)]);
        cells.extend([mean(&|pair| pair.0.herds as f64), mean(&|pair| pair.1.herds as f64)]);
        for difference in [effect.spikes(), effect.seconds()] {
            let (low, high) = difference.interval.unzip();
            let known = |value: Option<f64>| number(value.filter(|value| !value.is_nan()));
            cells.extend([known(Some(difference.mean)), known(low), known(high)]);
        }
        cells.push(effect.history.map_or_else(String::new, |history| history.name().to_owned()));
        cells.push(effect.agrees().map_or_else(String::new, |agrees| agrees.to_string()));
        cells
    });
    super::csv::table(COLUMNS, rows)
}

const COLUMNS: [&str; 21] = [
    "scenario",
    "variant",
    "baseline",
    "seeds",
    "effect",
    "delay_s",
    "from_s",
    "baseline_spikes_mean",
    "spikes_mean",
    "baseline_spikes_s_mean",
    "spikes_s_mean",
    "baseline_herds_mean",
    "herds_mean",
    "spikes_diff",
    "spikes_diff_low",
    "spikes_diff_high",
    "spikes_s_diff",
    "spikes_s_diff_low",
    "spikes_s_diff_high",
    "history",
    "agrees",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Span;
    use crate::report::synthetic;
    use crate::scenario::grammar::History;

    fn recycling(spikes: usize) -> Recycling {
        let first = (spikes > 0).then_some(Time::ZERO + Span::from_secs(7200));
        Recycling { served: true, spikes, seconds: 20.0 * spikes as f64, herds: spikes, first }
    }

    fn effect(
        variant: &str,
        change: HerdChange,
        pairs: &[(usize, usize)],
        history: Option<History>,
    ) -> Effect {
        let pairs = pairs.iter().map(|(before, after)| (recycling(*before), recycling(*after)));
        Effect {
            variant: variant.into(),
            baseline: "as-it-happened".into(),
            change,
            from: Time::ZERO + Span::from_secs(2700),
            pairs: pairs.collect(),
            history,
        }
    }

    fn some() -> Vec<Effect> {
        let later = HerdChange::Delays(Span::from_secs(5400));
        vec![
            effect("jitter", HerdChange::Cures, &[(4, 0), (6, 0)], Some(History::Cures)),
            effect("old-postgres", later, &[(4, 2), (6, 3)], Some(History::Cures)),
            effect("redeploy|only", HerdChange::None, &[(4, 4), (6, 7)], Some(History::Unknown)),
            effect("more", HerdChange::MakesWorse, &[(4, 9), (6, 11)], None),
        ]
    }

    #[test]
    fn effects_read_well() {
        insta::assert_snapshot!(text(&some(), Paint::Plain), @r#"
        EFFECTS, against as-it-happened
          variant                 effect  recycle spikes                 lasting  counted from
          jitter                   cures         4–6 → 0           1m20s–2m → 0s           45m
          old-postgres   delays by 1h30m       4–6 → 2–3       1m20s–2m → 40s–1m           45m
          redeploy|only        no change       4–6 → 4–7  1m20s–2m → 1m20s–2m20s           45m
          more               makes worse      4–6 → 9–11     1m20s–2m → 3m–3m40s           45m
           old-postgres: history says “cures”, the simulation “delays by 1h30m”
           recycle spikes: those of all services beside a storm of cause lifetime
        "#);
        insta::assert_snapshot!(markdown(&some()), @r#"
        Effects, against **as-it-happened**:

        | variant | effect | recycle spikes | lasting | counted from |
        | --- | --: | --: | --: | --: |
        | jitter | cures | 4–6 → 0 | 1m20s–2m → 0s | 45m |
        | old-postgres | delays by 1h30m | 4–6 → 2–3 | 1m20s–2m → 40s–1m | 45m |
        | redeploy\|only | no change | 4–6 → 4–7 | 1m20s–2m → 1m20s–2m20s | 45m |
        | more | makes worse | 4–6 → 9–11 | 1m20s–2m → 3m–3m40s | 45m |

        - old-postgres: history says “cures”, the simulation “delays by 1h30m”
        - recycle spikes: those of all services beside a storm of cause lifetime
        "#);
        let one = [effect("jitter", HerdChange::NothingToCure, &[(0, 0)], Some(History::Cures))];
        insta::assert_snapshot!(text(&one, Paint::Plain), @r#"
        EFFECTS, against as-it-happened
          variant           effect  recycle spikes  lasting  counted from
          jitter   nothing to cure           0 → 0  0s → 0s           45m
           jitter: history says “cures”, the simulation “nothing to cure”
           recycle spikes: those of all services beside a storm of cause lifetime
           one seed: compared plainly; another seed may tell otherwise
        "#);
        assert_eq!(text(&[], Paint::Plain) + &markdown(&[]), "", "one variant has no effect");
    }

    #[test]
    fn effects_are_data() {
        insta::assert_snapshot!(csv(&synthetic::header(), &some()), @r#"
        scenario,variant,baseline,seeds,effect,delay_s,from_s,baseline_spikes_mean,spikes_mean,baseline_spikes_s_mean,spikes_s_mean,baseline_herds_mean,herds_mean,spikes_diff,spikes_diff_low,spikes_diff_high,spikes_s_diff,spikes_s_diff_low,spikes_s_diff_high,history,agrees
        september,jitter,as-it-happened,2,cures,,2700,5,0,100,0,5,0,-5,-17.70620473617464,7.706204736174641,-100,-354.1240947234928,154.12409472349282,cures,true
        september,old-postgres,as-it-happened,2,delays,5400,2700,5,2.5,100,50,5,2.5,-2.5,-8.85310236808732,3.8531023680873204,-50,-177.0620473617464,77.06204736174641,cures,false
        september,redeploy|only,as-it-happened,2,no-change,,2700,5,5.5,100,110,5,5.5,0.5,-5.85310236808732,6.85310236808732,10,-117.06204736174641,137.0620473617464,unknown,
        september,more,as-it-happened,2,makes-worse,,2700,5,10,100,200,5,10,5,1.332034637595537,8.667965362404463,100,63.32034637595536,136.67965362404465,,
        "#);
        let one = [effect("jitter", HerdChange::Eases, &[(4, 2)], None)];
        let data = &rows(&one)[0];
        assert_eq!(
            (&data["effect"], &data["seeds"], &data["agrees"]),
            (&"eases".into(), &1.into(), &Value::Null)
        );
        assert_eq!(
            (&data["spikes_diff"]["mean"], &data["spikes_diff"]["ci95"]),
            (&(-2.0).into(), &Value::Null)
        );
        assert_eq!(
            data["pairs"][0]["variant"],
            json!({
                "spikes": 2, "spikes_s": 40.0, "herds": 2, "served": true, "first_s": 7200.0
            })
        );
        assert_eq!(json(&some())["effects"][1]["delay_s"], 5400.0);
    }

    /// A fleet that serves nobody has no spikes, and that is no cure.
    #[test]
    fn of_whom_nobody_can_tell_is_said_with_the_reason() {
        let mut down = effect("down", HerdChange::CannotTell(Doubt::NobodyServed), &[(2, 0)], None);
        down.pairs[0].1.served = false;
        let late = effect("late", HerdChange::CannotTell(Doubt::NoTime), &[(0, 0)], Some(History::Cures));
        let all = [down, late];
        insta::assert_snapshot!(text(&all, Paint::Plain), @r#"
        EFFECTS, against as-it-happened
          variant       effect  recycle spikes  lasting  counted from
          down     cannot tell           2 → –  40s → –           45m
          late     cannot tell           0 → 0  0s → 0s           45m
           cannot tell (late): no time is left to judge
           cannot tell (down): a side, or a service of it, serves nobody
           recycle spikes: those of all services beside a storm of cause lifetime
           one seed: compared plainly; another seed may tell otherwise
        "#);
        assert!(all.iter().all(|one| one.agrees().is_none()));
        let data = &rows(&all)[0];
        assert_eq!(
            (&data["effect"], &data["because"]),
            (&"cannot-tell".into(), &"a side, or a service of it, serves nobody".into())
        );
        let pair = &data["pairs"][0];
        assert_eq!((&pair["baseline"]["spikes"], &pair["variant"]["spikes"]), (&2.into(), &Value::Null));
        let empty = format!(",down,as-it-happened,1,cannot-tell,,2700{}\n", ",".repeat(14));
        assert!(csv(&synthetic::header(), &all).contains(&empty));
    }
}
