//! What the names of collections say of them, where their source does not.

use transhume_contract::{Collection, Role};

/// A collection that its owner may not write into is the service's own where its name says that the service fills it, and
/// an ordinary one else: people give such names, too. Where the source calls none the account's first, a name may.
pub(super) fn known_by_name(mut met: Vec<Collection>, says: impl Fn(&Collection) -> Option<Role>) -> Vec<Collection> {
    let told = met.iter().any(|one| one.role == Role::Default);
    for one in met.iter_mut().filter(|one| one.role == Role::ReadOnly) {
        one.role = if says(one) == Some(Role::Internal) { Role::Internal } else { Role::Ordinary };
    }
    let mut ordinary = met.iter_mut().filter(|one| one.role == Role::Ordinary && !told);
    if let Some(first) = ordinary.find(|one| says(one) == Some(Role::Default)) {
        first.role = Role::Default;
    }
    met
}

#[cfg(test)]
mod tests {
    use super::known_by_name;
    use transhume_contract::{AccountId, Appearance, Collection, CollectionId, Role, Size, Workload};

    fn roles(told: &[(&str, Role)]) -> Vec<Role> {
        let collection = |(name, role): &(&str, Role)| Collection {
            account: AccountId::new("ada"),
            workload: Workload::Calendar,
            id: CollectionId::new(*name),
            parent: None,
            name: (*name).into(),
            role: *role,
            hidden: false,
            expected: Size::default(),
            appearance: Appearance::default(),
        };
        let says = |one: &Collection| match one.name.as_str() {
            "Birthdays" => Some(Role::Internal),
            "Calendar" => Some(Role::Default),
            _ => None,
        };
        known_by_name(told.iter().map(collection).collect(), says).into_iter().map(|one| one.role).collect()
    }

    #[test]
    fn what_the_service_fills_by_itself_is_its_own_and_what_people_named_so_is_theirs() {
        let told = [("Birthdays", Role::ReadOnly), ("Birthdays", Role::Ordinary), ("Holidays", Role::ReadOnly)];
        assert_eq!(roles(&told), [Role::Internal, Role::Ordinary, Role::Ordinary]);
    }

    #[test]
    fn a_name_tells_the_first_one_where_nothing_else_does() {
        let two = [("Calendar", Role::Ordinary), ("Calendar", Role::Ordinary)];
        assert_eq!(roles(&two), [Role::Default, Role::Ordinary]);
        assert_eq!(roles(&[("Calendar", Role::Ordinary), ("Mine", Role::Default)]), [Role::Ordinary, Role::Default]);
    }
}
