//! What a tree stands for, checked as far as can be, however much is wrong with it.
//!
//! A tree without mistakes stands for one scenario. One with mistakes may stand for many: what is wrong is
//! stood in for by several [guesses](Guess), and each later check is made under each of them. What is said
//! under all of them is certain; what is said under some only would be the mistake's consequence. Left out:
//! mistakes that hide each other, such as two wrong values of one comparison.

use super::complete::complete;
use super::guess::Guess;
use super::problem::Problems;
use super::tree::Node;
use super::{Scenario, Tables, check, conform, like, lint, mend, read, schema, size, tables, timeline};
use std::path::Path;
use std::sync::Arc;

/// The checks in their order, each under one guess, or of the tree as it is.
const STEPS: [fn(&mut Scenario, Option<Guess>, &mut Problems); 4] = [
    |scenario, _, problems| {
        let mut known = std::mem::take(&mut scenario.tables);
        tables::load(&scenario.standing, &scenario.file, &scenario.base, &mut known, problems);
        scenario.tables = known;
    },
    |scenario, _, problems| check::check(&scenario.file, &scenario.standing, &scenario.tables, problems),
    |scenario, guess, problems| {
        let of = (&*scenario.file, &scenario.tables);
        scenario.timeline = timeline::build((&scenario.written, &scenario.standing), of, guess, problems);
    },
    |scenario, _, problems| size::check(scenario, problems),
];

/// What a tree may stand for.
pub struct Worlds {
    /// The tree as written.
    written: Arc<Node>,
    /// The complete tree, with all mistakes.
    standing: Arc<Node>,
    variant: String,
    /// Where its CSV files are, and those that are known already.
    files: (Arc<Path>, Tables),
    /// One for each guess; the scenario itself where nothing is wrong.
    each: Vec<(Option<Guess>, Scenario)>,
    /// The paths whose values are in doubt.
    doubts: Vec<String>,
    /// How many of the steps were made.
    made: usize,
}

/// Makes all checks but the last, which is advice. `problems` may know of mistakes already.
pub fn stand(tree: Node, variant: &str, files: (Arc<Path>, Tables), problems: &mut Problems) -> Worlds {
    let standing = complete(&tree, problems);
    let mut form = Problems::default();
    conform::check(&standing, schema::root(), "", &mut form);
    problems.extend(form);
    let mut worlds = Worlds {
        written: Arc::new(tree),
        standing: Arc::new(standing),
        variant: variant.to_owned(),
        files,
        each: Vec::new(),
        doubts: Vec::new(),
        made: 0,
    };
    for step in STEPS {
        worlds.make(step, problems);
        worlds.made += 1;
    }
    worlds
}

impl Worlds {
    /// Adds advice.
    pub fn advise(&mut self, problems: &mut Problems) {
        self.make(|scenario, _, problems| lint::lint(scenario, problems), problems);
    }

    /// The scenario, if nothing is wrong with it.
    pub fn scenario(self) -> Option<Scenario> {
        self.each.into_iter().find_map(|(guess, scenario)| guess.is_none().then_some(scenario))
    }

    /// Makes a check; where the tree itself has mistakes that keep it from going on, under the guesses, too.
    fn make(&mut self, step: impl Fn(&mut Scenario, Option<Guess>, &mut Problems), problems: &mut Problems) {
        let wrong = problems.has_errors();
        self.make_once(&step, problems);
        if problems.has_errors() && !wrong {
            self.make_once(&step, problems);
        }
    }

    fn make_once(
        &mut self,
        step: &impl Fn(&mut Scenario, Option<Guess>, &mut Problems),
        problems: &mut Problems,
    ) {
        self.settle(problems);
        let each = self.each.iter_mut().map(|(guess, scenario)| {
            let mut own = Problems::default();
            step(scenario, *guess, &mut own);
            own
        });
        problems.extend(Problems::of_all(each.collect()));
    }

    /// Makes the worlds that the mistakes so far leave.
    fn settle(&mut self, problems: &mut Problems) {
        let doubts = problems.doubts();
        let guesses: Vec<Option<Guess>> = match problems.has_errors() {
            true => Guess::ALL.map(Some).to_vec(),
            false => vec![None],
        };
        if self.each.first().map(|(guess, _)| *guess) == Some(guesses[0]) && doubts == self.doubts {
            return;
        }
        self.doubts = doubts;
        let mut unread = Problems::default();
        let each = guesses.into_iter().map(|guess| {
            let mut world = self.world(guess, &mut unread)?;
            for step in &STEPS[..self.made] {
                step(&mut world, guess, &mut Problems::default());
            }
            Some((guess, world))
        });
        self.each = each.collect::<Option<_>>().unwrap_or_default();
        if !problems.has_errors() {
            problems.extend(unread);
        }
    }

    /// What the tree stands for under a guess.
    fn world(&self, guess: Option<Guess>, problems: &mut Problems) -> Option<Scenario> {
        let (mut written, mut standing) = (self.written.clone(), (*self.standing).clone());
        if let Some(guess) = guess {
            like::lend(&mut standing, guess);
            like::cut(&mut standing);
            mend::mend(&mut standing, schema::root(), guess);
            self.doubts.iter().for_each(|path| mend::doubt(&mut standing, schema::root(), path, guess));
            mend::strip(&mut standing);
            written = Arc::new(standing);
            standing = complete(&written, &mut Problems::default());
            mend::mend(&mut standing, schema::root(), guess);
        }
        let mut file = read::file(&standing, problems)?;
        // They have been read: what is resolved stands for itself.
        file.values_from.clear();
        standing.entries_mut().map(|entries| entries.shift_remove("values_from"));
        file.postgres.values_mut().for_each(|node| node.like = None);
        file.service.values_mut().for_each(|service| service.like = None);
        like::cut(&mut standing);
        Some(Scenario {
            variant: self.variant.clone(),
            file: Arc::new(file),
            timeline: Vec::new(),
            tables: self.files.1.clone(),
            warnings: Problems::default(),
            written,
            standing: Arc::new(standing),
            base: self.files.0.clone(),
        })
    }
}
