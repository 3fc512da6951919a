//! A request in the making: a valid one that bends change.

use auth0_sim::{Algorithm, DEFAULT_AUDIENCE, DEFAULT_SCOPE, Key, SigningKey, TokenBuilder};
use gateway_tests::{client::Request, gateway::ISSUER};
use serde_json::{Map, Value, json};

/// Something that can be done to a request.
pub(super) struct Bend {
    /// What [`super::explained`] calls it.
    pub(super) name: &'static str,
    /// Whether nothing bent like this may be forwarded where a token is required, by the RFCs' own words.
    pub(super) refused: bool,
    pub(super) apply: fn(&mut Draft, &mut Random),
}

/// A bend whose outcome is a matter of opinion.
pub(super) const fn bend(name: &'static str, apply: fn(&mut Draft, &mut Random)) -> Bend {
    Bend {
        name,
        refused: false,
        apply,
    }
}

/// A bend that nobody may forward where a token is required.
pub(super) const fn refused(name: &'static str, apply: fn(&mut Draft, &mut Random)) -> Bend {
    Bend {
        name,
        refused: true,
        apply,
    }
}

/// What a request starts from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base {
    pub(super) route: &'static str,
    pub(super) place: Place,
}

impl Base {
    /// Where no token is needed, and one that is there must be valid.
    pub(super) const OPTIONAL: Self = Self {
        route: "/optional/page",
        place: Place::Header,
    };

    pub(super) fn all() -> impl Iterator<Item = Self> {
        ROUTES
            .into_iter()
            .flat_map(|route| PLACES.map(|place| Self { route, place }))
    }

    pub(super) fn needs_a_token(self) -> bool {
        self.route == PRIVATE
    }
}

/// Where a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Header,
    Parameter,
    Cookie,
}

/// One credential in the request; `{}` stands for the token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carrier {
    pub(super) place: Place,
    pub(super) form: &'static str,
}

impl Carrier {
    pub(super) fn of(place: Place) -> Self {
        let form = match place {
            Place::Header => "Bearer {}",
            Place::Parameter => "access_token={}",
            Place::Cookie => "token={}",
        };
        Self { place, form }
    }
}

/// How the token is signed.
#[derive(Clone, Debug)]
pub(super) enum Signature {
    By(SigningKey),
    Hmac(Vec<u8>),
    Bytes(Vec<u8>),
}

/// A request in the making.
pub(super) struct Draft {
    pub(super) now: u64,
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    /// In place of the header or the claims as JSON.
    pub(super) raw_header: Option<Vec<u8>>,
    pub(super) raw_claims: Option<Vec<u8>>,
    pub(super) signature: Signature,
    /// What is done to the compact form at last.
    pub(super) edits: Vec<fn(&str, &mut Random) -> String>,
    pub(super) carriers: Vec<Carrier>,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) query: Vec<&'static str>,
    pub(super) host: &'static str,
    pub(super) fields: Vec<(&'static str, &'static str)>,
}

impl Draft {
    /// A valid request, signed with any of the published keys.
    pub(super) fn new(base: Base, now: u64, random: &mut Random) -> Self {
        let key = signing_key(random);
        let mut header = Map::from_iter([
            ("alg".into(), key.algorithm.name().into()),
            ("typ".into(), "JWT".into()),
            ("kid".into(), key.kid.clone().into()),
        ]);
        if key.key == Key::P256Second {
            header.remove("kid");
        }
        let claims = json!({
            "iss": ISSUER,
            "sub": format!("auth0|{}", random.below(1000)),
            "aud": DEFAULT_AUDIENCE,
            "iat": now - 10,
            "exp": now + 3600,
            "scope": DEFAULT_SCOPE,
        });
        Self {
            now,
            header,
            claims: claims.as_object().cloned().unwrap_or_default(),
            raw_header: None,
            raw_claims: None,
            signature: Signature::By(key),
            edits: Vec::new(),
            carriers: vec![Carrier::of(base.place)],
            method: "GET",
            path: base.route.into(),
            query: Vec::new(),
            host: "api.pymd.io",
            fields: Vec::new(),
        }
    }

    /// Sets a claim.
    pub(super) fn claim(&mut self, name: &str, value: impl Into<Value>) {
        self.claims.insert(name.into(), value.into());
    }

    /// Sets a header parameter.
    pub(super) fn parameter(&mut self, name: &str, value: impl Into<Value>) {
        self.header.insert(name.into(), value.into());
    }

    /// The claims as JSON text, up to and without the closing brace: something is to follow.
    pub(super) fn open_claims(&self) -> String {
        let text = Value::Object(self.claims.clone()).to_string();
        text.trim_end_matches('}').to_owned()
    }

    /// The header as JSON text without the closing brace.
    pub(super) fn open_header(&self) -> String {
        let text = Value::Object(self.header.clone()).to_string();
        text.trim_end_matches('}').to_owned()
    }

    /// The key that signs, or would have.
    pub(super) fn key(&self) -> SigningKey {
        match &self.signature {
            Signature::By(key) => key.clone(),
            _ => Key::P256.into(),
        }
    }

    /// The token as the edits leave it.
    pub(super) fn token(&self, random: &mut Random) -> String {
        let json = |map: &Map<String, Value>| Value::Object(map.clone()).to_string().into_bytes();
        let header = self
            .raw_header
            .clone()
            .unwrap_or_else(|| json(&self.header));
        let claims = self
            .raw_claims
            .clone()
            .unwrap_or_else(|| json(&self.claims));
        let token = TokenBuilder::valid(ISSUER, self.now)
            .raw_header(header)
            .raw_payload(claims);
        let token = match self.signature.clone() {
            Signature::By(key) => token.signed_with(key),
            Signature::Hmac(secret) => token.hs256(Key::Rsa1, secret),
            Signature::Bytes(bytes) => token.signature(bytes),
        };
        self.edits
            .iter()
            .fold(token.build(), |token, edit| edit(&token, random))
    }

    /// The request with this token wherever it carries one.
    pub(super) fn request(&self, token: &str) -> Request {
        let filled = |place| {
            let carriers = self
                .carriers
                .iter()
                .filter(move |carrier| carrier.place == place);
            carriers
                .map(|carrier| carrier.form.replace("{}", token))
                .collect::<Vec<_>>()
        };
        let mut query = filled(Place::Parameter);
        query.extend(self.query.iter().map(ToString::to_string));
        let target = if query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, query.join("&"))
        };
        let mut request = Request::new(self.method, target).host(Some(self.host));
        for value in filled(Place::Header) {
            request = request.header("authorization", value);
        }
        for value in filled(Place::Cookie) {
            request = request.header("cookie", value);
        }
        self.fields.iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        })
    }
}

/// A published key: mostly the cheap one, as signing RSA in a test build takes milliseconds.
fn signing_key(random: &mut Random) -> SigningKey {
    match random.below(20) {
        0 => Key::Rsa1.into(),
        1 => SigningKey::from(Key::Rsa2).with_algorithm(Algorithm::Ps256),
        2 => Key::P384.into(),
        3 => Key::P521.into(),
        4 | 5 => Key::Ed25519.into(),
        6 => Key::P256Second.into(),
        _ => Key::P256.into(),
    }
}

/// `SplitMix64` (Steele, Lea and Flood 2014): the same numbers on every machine and with every version of a library.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    pub(super) fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

const PRIVATE: &str = "/api/v1/documents";
const ROUTES: [&str; 3] = [PRIVATE, Base::OPTIONAL.route, "/assets/page"];
const PLACES: [Place; 3] = [Place::Header, Place::Parameter, Place::Cookie];
