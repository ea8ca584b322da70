//! Requests as other programs send them, with nothing that keeps a server silent.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use transhume_http::{
    HeaderName, HeaderValue, HostRule, LaneKey, Method, Request, Road, RoadConfig, Url, Wire, WireConfig, header,
};

pub struct Raw {
    road: Road,
    base: Url,
    proof: HeaderValue,
}

impl Raw {
    pub fn new(url: &str, login: &str, password: &str) -> Self {
        let base: Url = url.parse().unwrap();
        let wire = Wire::new(&WireConfig::default()).unwrap();
        let road = Road::new(wire, RoadConfig::new(vec![HostRule::of(&base)]), None);
        let proof = format!("Basic {}", STANDARD.encode(format!("{login}:{password}")));
        Self { road, base, proof: proof.parse().unwrap() }
    }

    /// The status that a request is answered with.
    pub async fn status(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<String>) -> u16 {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let lane = LaneKey::new("raw", "raw");
        let mut request = Request::new(method, self.base.join(path).unwrap(), [lane]).anonymous();
        request = request.header(header::AUTHORIZATION, self.proof.clone());
        if let Some(body) = body {
            request = request.body("text/calendar; charset=utf-8", body);
        }
        for (name, value) in headers {
            request = request.header(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        self.road.whole(request, 1 << 20).await.unwrap().status.as_u16()
    }
}
