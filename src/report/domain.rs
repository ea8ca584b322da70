//! The domain that most addresses of a table share, for a line above the table.

use std::collections::BTreeMap;

/// Between an address at the source and the login at the target.
const ARROW: &str = " > ";

/// Takes from the first cells the domain that most of them have, of addresses and of logins; answers a line for each that
/// was taken. The first row is the head. Where logins are no addresses they keep all they have.
pub fn said_once(rows: &mut [Vec<String>]) -> Vec<String> {
    let mut cells: Vec<Vec<String>> =
        rows.iter().skip(1).filter_map(|row| row.first()).map(|cell| parts(cell)).collect();
    let addresses = drop_common(cells.iter_mut().filter_map(|cell| cell.get_mut(0)).collect());
    let logins: Vec<_> = cells.iter_mut().filter_map(|cell| cell.get_mut(1)).collect();
    let logins = if logins.iter().all(|login| login.contains('@')) { drop_common(logins) } else { None };
    for (row, cell) in rows.iter_mut().skip(1).zip(cells) {
        row.iter_mut().take(1).for_each(|first| *first = cell.join(ARROW));
    }
    let line = |who: &str, domain: String| format!("{who} without a domain: {domain}");
    addresses
        .map(|domain| line("accounts", domain))
        .into_iter()
        .chain(logins.map(|domain| line("logins", domain)))
        .collect()
}

fn parts(cell: &str) -> Vec<String> {
    cell.splitn(2, ARROW).map(str::to_owned).collect()
}

/// With its `@`.
fn domain(address: &str) -> Option<&str> {
    address.rfind('@').filter(|at| *at > 0).map(|at| &address[at..])
}

/// One address alone shares nothing.
fn drop_common(addresses: Vec<&mut String>) -> Option<String> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for domain in addresses.iter().filter_map(|address| domain(address)) {
        *times.entry(domain).or_default() += 1;
    }
    let most = times.into_iter().filter(|(_, times)| *times > 1).max_by_key(|(_, times)| *times);
    let common = most.map(|(domain, _)| domain.to_owned())?;
    for address in addresses {
        if domain(address) == Some(&common) {
            address.truncate(address.len() - common.len());
        }
    }
    Some(common)
}

#[cfg(test)]
mod tests {
    use super::said_once;

    fn rows(cells: &[&str]) -> Vec<Vec<String>> {
        std::iter::once(&"account").chain(cells).map(|cell| vec![(*cell).to_owned()]).collect()
    }

    #[test]
    fn addresses_and_logins_lose_what_they_share() {
        let mut both = rows(&["a@old.example > a@new.example", "b@old.example > b@new.example", "2 accounts"]);
        let said = said_once(&mut both);
        assert_eq!(said, ["accounts without a domain: @old.example", "logins without a domain: @new.example"]);
        assert_eq!(both, rows(&["a > a", "b > b", "2 accounts"]));
    }

    #[test]
    fn what_is_not_shared_stays() {
        let mut mixed = rows(&["a@old.example > account1", "b@old.example > b@old.example", "zoe@partner.example"]);
        assert_eq!(said_once(&mut mixed), ["accounts without a domain: @old.example"]);
        assert_eq!(mixed, rows(&["a > account1", "b > b@old.example", "zoe@partner.example"]));
        let mut one = rows(&["a@old.example", "1 account"]);
        assert_eq!((said_once(&mut one), one), (Vec::new(), rows(&["a@old.example", "1 account"])));
    }
}
