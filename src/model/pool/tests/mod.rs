//! Stories of pools: what the libraries' own sources say they do (pools.md §1), told through the shipped
//! presets.

mod database_sql;
mod dotnet_and_ruby;
mod hikari;
mod javascript;
mod kill_gap;
mod lifetimes;
mod measured;
mod pgxpool;
mod plain;
mod poolers;
mod python;
mod random;
mod rust;
mod stock;
mod story;
