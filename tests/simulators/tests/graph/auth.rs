//! Signing in, and being refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use transhume_simulators::Options;

use crate::client::{ANNA, Client, tenant};

/// Fields of the form; status, error and code expected.
type Case<'a> = (&'a [(&'a str, &'a str)], u16, &'a str, u64);

fn code(answer: &Value) -> u64 {
    answer["error_codes"][0].as_u64().unwrap()
}

#[tokio::test]
async fn a_secret_gives_a_token_with_roles() {
    let client = Client::new().await;
    let (status, answer) = client.ask_token(&[("client_id", "app"), ("client_secret", "secret")]).await;
    assert_eq!(status, 200);
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(3599)));
    assert!(answer.get("refresh_token").is_none());
    let claims = answer["access_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert!(claims["roles"].as_array().unwrap().contains(&json!("Mail.Read")));
    assert_eq!(claims["aud"], "https://graph.microsoft.com");
    assert_eq!(claims["tid"], Options::default().tenant_id);
}

#[tokio::test]
async fn basic_credentials_are_taken_too() {
    let client = Client::new().await;
    let form = "grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";
    let request = client.http.post(client.url("/contoso.onmicrosoft.com/oauth2/v2.0/token"));
    let answer = request.basic_auth("app", Some("secret")).body(form).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn refusals_carry_their_codes() {
    let options = Options { expired_secrets: vec!["old".to_owned()], ..Options::default() };
    let client = Client::with(tenant(), options).await;
    let right = [("client_id", "app"), ("client_secret", "secret")];
    let cases: [Case<'_>; 6] = [
        (&[("client_id", "app"), ("client_secret", "wrong")], 401, "invalid_client", 7_000_215),
        (&[("client_id", "app"), ("client_secret", "old")], 401, "invalid_client", 7_000_222),
        (&[("client_id", "other"), ("client_secret", "secret")], 400, "unauthorized_client", 700_016),
        (&[right[0], right[1], ("scope", "Mail.Read")], 400, "invalid_scope", 70_011),
        (&[right[0], right[1], ("scope", "https://graph.microsoft.us/.default")], 400, "invalid_scope", 70_011),
        (&[right[0], right[1], ("grant_type", "password")], 400, "unsupported_grant_type", 70_003),
    ];
    for (fields, status, error, number) in cases {
        let (found, answer) = client.ask_token(fields).await;
        assert_eq!((found.as_u16(), answer["error"].as_str().unwrap(), code(&answer)), (status, error, number));
        let text = answer["error_description"].as_str().unwrap();
        assert!(text.starts_with(&format!("AADSTS{number}: ")) && text.contains("Trace ID: "), "{text}");
        assert!(!answer["timestamp"].as_str().unwrap().contains('T'));
    }
}

#[tokio::test]
async fn tenants_are_known_or_not() {
    let client = Client::new().await;
    let form = [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", "secret")];
    let (_, unknown) = client.post_form("/fabrikam.com/oauth2/v2.0/token", &form).await;
    assert_eq!((code(&unknown), &unknown["error"]), (90_002, &json!("invalid_request")));
    let (_, malformed) = client.post_form("/not%20a%20tenant/oauth2/v2.0/token", &form).await;
    assert_eq!(code(&malformed), 900_023);
    let found = client.json("/6babcaad-604b-40ac-a9d7-9fd97c0b779f/v2.0/.well-known/openid-configuration").await;
    assert!(found["token_endpoint"].as_str().unwrap().starts_with(&client.running.base_url()));
    let keys = client.json("/contoso/discovery/v2.0/keys").await;
    assert_eq!(keys["keys"][0]["kty"], "RSA");
}

/// A certificate and its key, made by rcgen for RSA keys of the rsa crate.
struct Certificate {
    pem: String,
    der: Vec<u8>,
    key: EncodingKey,
}

fn certificate() -> Certificate {
    use rsa::pkcs8::{EncodePrivateKey, LineEnding};
    let secret = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let pem = secret.to_pkcs8_pem(LineEnding::LF).unwrap();
    let pair = rcgen::KeyPair::from_pem(&pem).unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["app".to_owned()]).unwrap().self_signed(&pair).unwrap();
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    Certificate { pem: certificate.pem(), der: certificate.der().to_vec(), key }
}

fn assertion(of: &Certificate, algorithm: Algorithm, claims: &Value) -> String {
    let mut header = Header::new(algorithm);
    match algorithm {
        Algorithm::PS256 => header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(&of.der))),
        _ => header.x5t = Some(URL_SAFE_NO_PAD.encode(sha1::Sha1::digest(&of.der))),
    }
    jsonwebtoken::encode(&header, claims, &of.key).unwrap()
}

async fn assert_with(client: &Client, assertion: &str) -> (u16, Value) {
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let fields = [("client_id", "app"), ("client_assertion_type", kind), ("client_assertion", assertion)];
    let (status, answer) = client.ask_token(&fields).await;
    (status.as_u16(), answer)
}

#[tokio::test]
async fn certificates_sign_assertions_in_both_forms() {
    let (known, unknown) = (certificate(), certificate());
    let options = Options { certificates: vec![known.pem.clone()], ..Options::default() };
    let client = Client::with(tenant(), options).await;
    let now = jiff::Timestamp::now().as_second();
    let aud = client.url("/contoso/oauth2/v2.0/token");
    let claims = json!({"aud": aud, "iss": "app", "sub": "app", "jti": "1", "nbf": now, "iat": now, "exp": now + 300});
    for algorithm in [Algorithm::PS256, Algorithm::RS256] {
        let (status, answer) = assert_with(&client, &assertion(&known, algorithm, &claims)).await;
        assert_eq!(status, 200, "{answer}");
    }
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let forged = Certificate { pem: known.pem.clone(), der: known.der.clone(), key: unknown.key.clone() };
    let cases = [
        (assertion(&unknown, Algorithm::PS256, &claims), 700_027),
        (assertion(&forged, Algorithm::PS256, &claims), 700_027),
        (assertion(&known, Algorithm::PS256, &changed("aud", "https://elsewhere".into())), 700_023),
        (assertion(&known, Algorithm::PS256, &changed("exp", (now - 900).into())), 700_024),
        (assertion(&known, Algorithm::RS256, &changed("sub", "other".into())), 700_021),
        (assertion(&known, Algorithm::PS256, &changed("jti", "".into())), 50_027),
        ("not.a.jwt".to_owned(), 50_027),
    ];
    for (assertion, expected) in cases {
        let (status, answer) = assert_with(&client, &assertion).await;
        assert_eq!((status, code(&answer)), (401, expected), "{answer}");
    }
}

#[tokio::test]
async fn a_skewed_clock_is_seen_in_the_date_and_in_assertions() {
    let known = certificate();
    let mut options = Options { certificates: vec![known.pem.clone()], ..Options::default() };
    options.knobs.clock_offset_s = 3600;
    let client = Client::with(tenant(), options).await;
    let now = jiff::Timestamp::now().as_second();
    let aud = client.url("/contoso/oauth2/v2.0/token");
    let claims = json!({"aud": aud, "iss": "app", "sub": "app", "nbf": now, "exp": now + 300});
    assert_eq!(code(&assert_with(&client, &assertion(&known, Algorithm::PS256, &claims)).await.1), 700_024);
    let date = client.get("/v1.0/users").await.headers()["date"].to_str().unwrap().to_owned();
    let ahead = httpdate::parse_http_date(&date).unwrap().duration_since(std::time::SystemTime::now()).unwrap();
    assert!(ahead.as_secs() > 3500);
}

#[tokio::test]
async fn tokens_are_needed_whole_and_alive() {
    let client = Client::new().await;
    let words = async |token: Option<&str>| {
        let mut request = client.http.get(client.url("/v1.0/users"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401);
        assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer "));
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"]["code"], "InvalidAuthenticationToken");
        body["error"]["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(words(None).await, "Access token is empty.");
    assert!(words(Some("rubbish")).await.starts_with("CompactToken parsing failed"));
    let (head, signature) = client.token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{head}.{first}{}", &signature[1..]);
    assert!(words(Some(&forged)).await.contains("signature"));
    client.control("faults", json!({"token_lifetime_s": 1})).await;
    let short = client.ask_token(&[("client_id", "app"), ("client_secret", "secret")]).await.1;
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    assert_eq!(words(short["access_token"].as_str()).await, "Lifetime validation failed, the token is expired.");
}

#[tokio::test]
async fn missing_roles_are_refused_in_the_dialect_of_the_workload() {
    let client = Client::new().await;
    client.control("faults", json!({"roles": []})).await;
    let cases = [
        ("/v1.0/users".to_owned(), "Authorization_RequestDenied"),
        ("/v1.0/groups".to_owned(), "Authorization_RequestDenied"),
        (format!("/v1.0/users/{ANNA}/mailFolders"), "ErrorAccessDenied"),
        (format!("/v1.0/users/{ANNA}/mailboxSettings"), "ErrorAccessDenied"),
        ("/v1.0/reports/getMailboxUsageDetail(period='D7')".to_owned(), "Authorization_RequestDenied"),
    ];
    for (path, code) in cases {
        assert_eq!(client.refusal(&path).await, (403, code.to_owned()), "{path}");
    }
    let (status, answer) = client.ask_token(&[("client_id", "app"), ("client_secret", "secret")]).await;
    assert_eq!(status, 200, "a token is given even where nothing was consented");
    let claims = answer["access_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert!(claims.get("roles").is_none());
}

#[tokio::test]
async fn basic_mail_shows_envelopes_only() {
    let client = Client::new().await;
    client.control("faults", json!({"roles": ["Mail.ReadBasic.All"]})).await;
    let token = client.ask_token(&[("client_id", "app"), ("client_secret", "secret")]).await.1["access_token"].clone();
    let client = Client { token: token.as_str().unwrap().to_owned(), ..client };
    let page = client.json(&format!("/v1.0/users/{ANNA}/messages?$top=1")).await;
    let row = &page["value"][0];
    assert!(row.get("subject").is_some() && row.get("body").is_none() && row.get("bodyPreview").is_none());
    let path = format!("/v1.0/users/{ANNA}/messages/{}/$value", row["id"].as_str().unwrap());
    assert_eq!(client.refusal(&path).await.0, 403);
}

#[tokio::test]
async fn a_device_code_is_pending_until_somebody_decides() {
    let client = Client::new().await;
    let begin = async || {
        let form = [("client_id", "app"), ("scope", "https://graph.microsoft.com/Mail.Read offline_access")];
        client.post_form("/organizations/oauth2/v2.0/devicecode", &form).await.1
    };
    let poll = async |code: &Value| {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let form = [("grant_type", grant), ("client_id", "app"), ("device_code", code.as_str().unwrap())];
        client.post_form("/organizations/oauth2/v2.0/token", &form).await
    };
    let first = begin().await;
    assert_eq!((&first["expires_in"], &first["interval"]), (&json!(900), &json!(5)));
    assert!(first.get("verification_uri_complete").is_none());
    assert_eq!(poll(&first["device_code"]).await.1["error"], "authorization_pending");
    client.control("device", json!({"outcome": "approve", "user": ANNA, "user_code": first["user_code"]})).await;
    let (status, answer) = poll(&first["device_code"]).await;
    assert_eq!((status.as_u16(), &answer["scope"]), (200, &json!("Mail.Read")));
    for (outcome, error) in [("decline", "authorization_declined"), ("expire", "expired_token")] {
        let next = begin().await;
        client.control("device", json!({"outcome": outcome})).await;
        assert_eq!(poll(&next["device_code"]).await.1["error"], error);
    }
    assert_eq!(poll(&json!("x")).await.1["error"], "bad_verification_code");

    let person = answer["access_token"].as_str().unwrap();
    let own = client.http.get(client.url("/v1.0/me/messages")).bearer_auth(person).send().await.unwrap();
    assert_eq!(own.status(), 200);
    let other = client.http.get(client.url("/v1.0/users/bob@contoso.example/messages"));
    assert_eq!(other.bearer_auth(person).send().await.unwrap().status(), 403);

    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", "app"),
        ("refresh_token", answer["refresh_token"].as_str().unwrap()),
    ];
    let (status, renewed) = client.post_form("/organizations/oauth2/v2.0/token", &refresh).await;
    assert_eq!(status, 200);
    assert_ne!(renewed["refresh_token"], answer["refresh_token"]);
    assert_eq!(client.post_form("/organizations/oauth2/v2.0/token", &refresh).await.1["error"], "invalid_grant");
}
