//! What may stand in for a mistake while the rest of a scenario is checked.

/// What stands in for what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// What was probably meant, or something in the middle.
    Likely,
    /// As little as can be.
    Least,
    /// As much as can be.
    Most,
}

impl Guess {
    /// All of them, the likely one first.
    pub const ALL: [Guess; 3] = [Guess::Likely, Guess::Least, Guess::Most];

    /// A name that nothing has, another one for each guess.
    pub fn name(self) -> &'static str {
        self.of("(likely)", "(least)", "(most)")
    }

    /// What it picks.
    pub fn of<T>(self, likely: T, least: T, most: T) -> T {
        match self {
            Guess::Likely => likely,
            Guess::Least => least,
            Guess::Most => most,
        }
    }
}
