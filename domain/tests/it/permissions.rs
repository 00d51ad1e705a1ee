//! The permission table as a whole.

use domain::permission::{Permission, Side, allows};
use domain::staff::Role;

#[test]
fn the_table_is_what_was_agreed() {
    let mut lines = Vec::new();
    for permission in Permission::ALL {
        let at = |side| {
            let roles: Vec<&str> = Role::ALL
                .iter()
                .filter(|role| allows(**role, *permission, side))
                .map(|role| role.as_str())
                .collect();
            match roles.len() {
                0 => "nobody".to_owned(),
                n if n == Role::ALL.len() => "all".to_owned(),
                _ => roles.join(" "),
            }
        };
        lines.push(format!(
            "{}: {} | {}",
            permission.as_str(),
            at(Side::Branch),
            at(Side::Hub)
        ));
    }
    assert_eq!(lines.join("\n"), include_str!("permissions.txt").trim_end());
}

#[test]
fn an_auditor_changes_nothing() {
    for permission in Permission::ALL {
        let name = permission.as_str();
        let looks = name.ends_with("_read") || ["sign_in", "search", "export"].contains(&name);
        for side in [Side::Branch, Side::Hub] {
            assert!(looks || !allows(Role::Auditor, *permission, side), "{name}");
        }
    }
}
