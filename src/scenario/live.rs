//! What may change while the simulation runs: what the model reads on its way (`x-live` in the grammar), and
//! what a container reads when it starts.

use super::schema::{self, Shape};

/// What a container reads when it starts: a change reaches the containers that start later.
pub const READ_AT_START: [&str; 3] = ["pool", "concurrency", "startup"];

/// Whether an event may set the value at this path.
pub fn is_live(path: &str) -> bool {
    let names: Vec<&str> = path.split('.').collect();
    if names[0] == "service" && names.get(2).is_some_and(|field| READ_AT_START.contains(field)) {
        // Containers know their pools by their places: which there are stays as it is.
        return names[2] != "pool" || names.len() > 3;
    }
    let mut shape = schema::root();
    for name in names {
        if let Shape::Table(fields) = shape
            && fields.get(name).is_some_and(|field| field.live)
        {
            return true;
        }
        let Some(inner) = shape.field(name) else { return false };
        shape = inner;
    }
    false
}

/// What an event may set near a path that it may not.
pub fn what_is_live(path: &str) -> String {
    let mut live = Vec::new();
    list_live(schema::root(), "", &mut live);
    live.extend(["pool.*", "concurrency", "startup"].map(|field| format!("service.*.{field}")));
    let group = path.split('.').next().unwrap_or_default();
    let near: Vec<String> =
        live.iter().filter(|path| path.split('.').next() == Some(group)).cloned().collect();
    if near.is_empty() {
        let mut groups: Vec<&str> = live.iter().filter_map(|path| path.split('.').next()).collect();
        groups.sort_unstable();
        groups.dedup();
        return format!("an event may set values of: {}; a variant may set it", groups.join(", "));
    }
    format!("an event may set: {}; a variant may set anything", near.join(", "))
}

fn list_live(shape: &Shape, path: &str, live: &mut Vec<String>) {
    let longer = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match shape {
        Shape::Table(fields) => {
            for (name, field) in fields {
                if field.live {
                    live.push(longer(name));
                } else {
                    list_live(&field.shape, &longer(name), live);
                }
            }
        }
        Shape::Map(inner) => list_live(inner, &longer("*"), live),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_is_what_the_model_reads_and_what_a_container_reads_at_its_start() {
        for path in [
            "postgres.primary.cores",
            "postgres.primary.grant.fast.base",
            "service.api.pool.primary",
            "service.api.pool.primary.max",
            "traffic.users.rate",
            "postgres.primary.disk.read_factor",
            "endpoint.reads.node",
            "edge.origin_outage_mode",
        ] {
            assert!(is_live(path), "{path}");
        }
        for path in [
            "duration",
            "postgres.primary.max_connections",
            "service.api.scaler",
            "service.api.pool",
            "traffic.users",
        ] {
            assert!(!is_live(path), "{path}");
        }
    }
}
