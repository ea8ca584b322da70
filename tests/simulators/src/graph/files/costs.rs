//! What a call costs in resource units (SharePoint docs: avoid throttling).

use http::Method;

use crate::wire::Call;

/// The cost of a call to SharePoint; none for calls to other services.
pub(crate) fn units(call: &Call) -> Option<u32> {
    let words = words(call);
    let here = matches!(
        words.as_slice(),
        ["drives" | "sites", ..]
            | ["users" | "groups", _, "drive" | "drives" | "sites", ..]
            | ["me", "drive" | "drives", ..]
            | ["teams", .., "filesFolder"]
    );
    here.then(|| cost(call, &words))
}

fn cost(call: &Call, words: &[&str]) -> u32 {
    let expanded = call.query.either("expand").map(|(expanded, _)| expanded.to_ascii_lowercase()).unwrap_or_default();
    if words.contains(&"permissions") || expanded.contains("permissions") {
        return 5;
    }
    if call.method != Method::GET {
        return 2;
    }
    let with_token = call.query.get("token").is_some() || words.iter().any(|word| word.starts_with("delta("));
    match words.last().copied().unwrap_or_default() {
        "delta" if !with_token => 2,
        "children" | "drives" | "sites" | "lists" | "columns" | "versions" => 2,
        "getAllSites" | "oneDrive.getAllSites" => 2,
        _ => 1,
    }
}

/// The segments that are words of the API: what stands between two colons are somebody's names.
pub(super) fn words(call: &Call) -> Vec<&str> {
    let mut named = false;
    let mut words = Vec::new();
    for segment in &call.segments {
        if !named {
            words.push(segment.as_str());
        }
        named = segment.ends_with(':') != named;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Option<u32> {
        let headers = http::HeaderMap::new();
        units(&Call::to(Method::GET, format!("/v1.0/{path}"), headers, bytes::Bytes::new(), String::new()))
    }

    #[test]
    fn requests_cost_what_the_table_says() {
        for (path, cost) in [
            ("drives/b!1", 1),
            ("drives/b!1/items/01A", 1),
            ("drives/b!1/items/01A/content", 1),
            ("drives/b!1/root:/permissions/children:", 1),
            ("users/a@x/drive/root/children", 2),
            ("drives/b!1/root/delta", 2),
            ("drives/b!1/root/delta?token=x", 1),
            ("drives/b!1/root/delta(token='x')", 1),
            ("drives/b!1/items/01A/permissions", 5),
            ("drives/b!1/items/01A?$expand=permissions", 5),
            ("sites?search=*", 2),
            ("groups/g/sites/root", 1),
            ("teams/t/channels/c/filesFolder", 1),
        ] {
            assert_eq!(of(path), Some(cost), "{path}");
        }
        assert_eq!((of("users/a@x/messages"), of("teams/t/channels"), of("groups/g/members")), (None, None, None));
    }
}
