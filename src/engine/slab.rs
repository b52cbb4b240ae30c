//! A slab: values in one vector, named by ids that outlive them safely.
//!
//! An [`Id`] carries the generation of its slot, so that a message to something that has gone meets `None`,
//! never its successor. Freed slots are reused, the latest first, so memory follows what is alive. What has
//! gone is overwritten by its successor and not before: one comparison tells whether an id is alive.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// The name of a value in a [`Slab`]. Never equal to the name of an earlier tenant of the slot.
#[derive(PartialOrd, Ord)]
pub struct Id<T> {
    index: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// An id that names nothing.
    pub const NONE: Id<T> = Id { index: u32::MAX, generation: 0, of: PhantomData };

    /// The slot, unique among the living.
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// The same name for a part that knows those it serves as something else; whoever asks it casts back.
    pub fn cast<U>(self) -> Id<U> {
        Id { index: self.index, generation: self.generation, of: PhantomData }
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.index, self.generation) == (other.index, other.generation)
    }
}
impl<T> Eq for Id<T> {}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}.{}", self.index, self.generation)
    }
}

#[derive(Clone, Debug)]
struct Slot<T> {
    /// Odd while the value is alive.
    generation: u32,
    value: T,
}

/// Values named by generational ids.
#[derive(Clone, Debug)]
pub struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Puts a value in and names it.
    ///
    /// # Panics
    /// With more than four billion values alive.
    pub fn insert(&mut self, value: T) -> Id<T> {
        let Some(index) = self.free.pop() else {
            self.slots.push(Slot { generation: 1, value });
            let index = u32::try_from(self.slots.len() - 1).expect("fewer than four billion values");
            return Id { index, generation: 1, of: PhantomData };
        };
        let slot = &mut self.slots[index as usize];
        slot.generation = slot.generation.wrapping_add(1);
        slot.value = value;
        Id { index, generation: slot.generation, of: PhantomData }
    }

    /// Removes a value, which can be looked at for the last time; its id names nothing from then on.
    pub fn remove(&mut self, id: Id<T>) -> Option<&mut T> {
        let slot = self.slots.get_mut(id.index()).filter(|slot| slot.generation == id.generation)?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.index);
        Some(&mut slot.value)
    }

    /// The value, if it is still there.
    #[inline]
    pub fn get(&self, id: Id<T>) -> Option<&T> {
        let slot = self.slots.get(id.index())?;
        (slot.generation == id.generation).then_some(&slot.value)
    }

    /// The value, if it is still there.
    #[inline]
    pub fn get_mut(&mut self, id: Id<T>) -> Option<&mut T> {
        let slot = self.slots.get_mut(id.index())?;
        (slot.generation == id.generation).then_some(&mut slot.value)
    }

    /// How many values are in.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// True when nothing is in.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All values with their ids, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        let alive = self.slots.iter().enumerate().filter(|(_, slot)| slot.generation % 2 == 1);
        alive.map(|(index, slot)| {
            (Id { index: index as u32, generation: slot.generation, of: PhantomData }, &slot.value)
        })
    }
}

impl<T> Index<Id<T>> for Slab<T> {
    type Output = T;
    /// # Panics
    /// If the value has gone.
    fn index(&self, id: Id<T>) -> &T {
        self.get(id).expect("a living id")
    }
}

impl<T> IndexMut<Id<T>> for Slab<T> {
    /// # Panics
    /// If the value has gone.
    fn index_mut(&mut self, id: Id<T>) -> &mut T {
        self.get_mut(id).expect("a living id")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_id_never_meets_the_successor() {
        let mut slab = Slab::default();
        let first = slab.insert('a');
        assert_eq!(slab.remove(first), Some(&mut 'a'));
        assert_eq!((slab.get(first), slab.iter().count()), (None, 0));
        let second = slab.insert('b');
        assert_eq!(second.index(), first.index());
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab[second], 'b');
        assert_eq!(slab.len(), 1);
        assert_eq!(slab.get(Id::NONE), None);
    }
}
