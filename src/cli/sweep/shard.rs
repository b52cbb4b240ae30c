//! `--shard 3/7`, or what the scheduler that started this task says.
//!
//! Cloud Run jobs, AWS Batch arrays and Slurm arrays tell a task its number and how many there are; an
//! indexed job of Kubernetes tells only the number, so the count comes with `auto/N` or in `JOB_COMPLETIONS`.
//! None of them is looked at unless `auto` is asked for.

use crate::report::ledger::Shard;

/// Which part was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartAsked {
    /// This part.
    Part(Shard),
    /// The part that the scheduler gave; of so many, if the scheduler does not say.
    Auto(Option<usize>),
}

/// Reads `I/N`, `auto` or `auto/N`.
///
/// # Errors
/// Says how it is written.
pub fn parse(text: &str) -> Result<PartAsked, String> {
    let form = "write `3/7` for the third of seven, `auto`, or `auto/7`";
    let (number, of) = match text.split_once('/') {
        Some((number, of)) => (number.trim(), Some(of.trim().parse::<usize>().map_err(|_| form)?)),
        None => (text.trim(), None),
    };
    match (number, of) {
        ("auto", None) => Ok(PartAsked::Auto(None)),
        ("auto", Some(1..)) => Ok(PartAsked::Auto(of)),
        (number, Some(of)) => match number.parse() {
            Ok(number) if (1..=of).contains(&number) => Ok(PartAsked::Part(Shard { number, of })),
            _ => Err(format!("{form}; the first is 1")),
        },
        _ => Err(form.to_owned()),
    }
}

/// The variables of a scheduler: where a task finds its number, the first number and the step if they are not
/// 0 and 1, and how many tasks there are.
struct Scheduler {
    number: &'static str,
    first: Option<&'static str>,
    step: Option<&'static str>,
    count: &'static str,
}

const SCHEDULERS: [Scheduler; 4] = [
    Scheduler { number: "CLOUD_RUN_TASK_INDEX", first: None, step: None, count: "CLOUD_RUN_TASK_COUNT" },
    Scheduler { number: "JOB_COMPLETION_INDEX", first: None, step: None, count: "JOB_COMPLETIONS" },
    Scheduler {
        number: "SLURM_ARRAY_TASK_ID",
        first: Some("SLURM_ARRAY_TASK_MIN"),
        step: Some("SLURM_ARRAY_TASK_STEP"),
        count: "SLURM_ARRAY_TASK_COUNT",
    },
    Scheduler {
        number: "AWS_BATCH_JOB_ARRAY_INDEX",
        first: None,
        step: None,
        count: "AWS_BATCH_JOB_ARRAY_SIZE",
    },
];

impl PartAsked {
    /// The part that is meant, where `environment` gives the value of a variable.
    ///
    /// # Errors
    /// Says which variables were looked for, or what is wrong with them.
    pub fn resolve(self, environment: &dyn Fn(&str) -> Option<String>) -> Result<Shard, String> {
        let count = match self {
            PartAsked::Part(shard) => return Ok(shard),
            PartAsked::Auto(count) => count,
        };
        let Some(scheduler) = SCHEDULERS.iter().find(|scheduler| environment(scheduler.number).is_some())
        else {
            let names: Vec<&str> = SCHEDULERS.iter().map(|scheduler| scheduler.number).collect();
            return Err(format!("`--shard auto`: none of {} is set: write `--shard 3/7`", names.join(", ")));
        };
        scheduler.shard(count, environment)
    }
}

impl Scheduler {
    fn shard(
        &self,
        asked: Option<usize>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Shard, String> {
        let number = |name: &str| -> Result<Option<usize>, String> {
            let Some(text) = environment(name) else { return Ok(None) };
            text.trim()
                .parse()
                .map(Some)
                .map_err(|_| format!("`--shard auto`: {name}={text} is not a number"))
        };
        let of = |name: Option<&str>, otherwise: usize| -> Result<usize, String> {
            Ok(name.map_or(Ok(None), number)?.unwrap_or(otherwise))
        };
        let index = of(Some(self.number), 0)?;
        let (first, step) = (of(self.first, 0)?, of(self.step, 1)?.max(1));
        let count = match (asked, number(self.count)?) {
            (Some(asked), Some(told)) if asked != told => {
                return Err(format!(
                    "`--shard auto/{asked}`, but {}={told}: write `--shard auto`",
                    self.count
                ));
            }
            (Some(count), _) | (None, Some(count)) => count,
            (None, None) => {
                let (name, count) = (self.number, self.count);
                return Err(format!(
                    "{name} is set, but not {count}: write `--shard auto/N` with the number of tasks"
                ));
            }
        };
        match index.checked_sub(first).map(|index| index / step + 1) {
            Some(number) if number <= count => Ok(Shard { number, of: count }),
            _ => Err(format!("`--shard auto`: {}={index} is not one of {count} tasks", self.number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(text: &str, set: &[(&str, &str)]) -> Result<(usize, usize), String> {
        let environment =
            |name: &str| set.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        parse(text)?.resolve(&environment).map(|shard| (shard.number, shard.of))
    }

    #[test]
    fn a_part_is_counted_from_one() {
        assert_eq!(auto("3/7", &[]), Ok((3, 7)));
        for wrong in ["0/7", "8/7", "3", "a/7", "3/", "auto/0", "-1/7"] {
            assert!(auto(wrong, &[]).unwrap_err().contains("3/7"), "{wrong}");
        }
    }

    #[test]
    fn each_scheduler_is_understood() {
        let cloud_run = [("CLOUD_RUN_TASK_INDEX", "0"), ("CLOUD_RUN_TASK_COUNT", "12")];
        assert_eq!(auto("auto", &cloud_run), Ok((1, 12)));
        assert_eq!(auto("auto/12", &[("JOB_COMPLETION_INDEX", "11")]), Ok((12, 12)));
        let told = [("JOB_COMPLETION_INDEX", "2"), ("JOB_COMPLETIONS", "4")];
        assert_eq!(auto("auto", &told), Ok((3, 4)));
        let slurm = [
            ("SLURM_ARRAY_TASK_ID", "5"),
            ("SLURM_ARRAY_TASK_MIN", "1"),
            ("SLURM_ARRAY_TASK_STEP", "2"),
            ("SLURM_ARRAY_TASK_COUNT", "4"),
        ];
        assert_eq!(auto("auto", &slurm), Ok((3, 4)));
        let batch = [("AWS_BATCH_JOB_ARRAY_INDEX", "3"), ("AWS_BATCH_JOB_ARRAY_SIZE", "4")];
        assert_eq!(auto("auto", &batch), Ok((4, 4)));
    }

    #[test]
    fn what_is_missing_or_contradicts_is_named() {
        assert!(auto("auto", &[]).unwrap_err().contains("SLURM_ARRAY_TASK_ID"));
        assert!(auto("auto", &[("JOB_COMPLETION_INDEX", "1")]).unwrap_err().contains("auto/N"));
        let told = [("CLOUD_RUN_TASK_INDEX", "1"), ("CLOUD_RUN_TASK_COUNT", "12")];
        assert!(auto("auto/3", &told).unwrap_err().contains("CLOUD_RUN_TASK_COUNT=12"));
        let far = [("CLOUD_RUN_TASK_INDEX", "12"), ("CLOUD_RUN_TASK_COUNT", "12")];
        assert!(auto("auto", &far).unwrap_err().contains("not one of 12"));
    }
}
