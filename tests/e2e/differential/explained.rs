//! Every difference between our decisions and those of native `jwt_authn`, with its reason.
//!
//! We are the stricter one in each. [`Ours::Finds`] is the only kind in which we forward what `jwt_authn` refuses, and
//! there it does not look at the token at all.

/// What we do where `jwt_authn` does otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ours<'a> {
    /// We refuse for this reason what it forwards.
    Refuses(&'a str),
    /// We refuse, for whatever is wrong with it, what it does not see.
    RefusesUnseen,
    /// Both forward, but the application sees another identity.
    Identity,
    /// We find, and verify, the token where it finds none; it accepts the same token where it looks.
    Finds,
}

impl Ours<'_> {
    /// Whether a difference is of this kind.
    pub(super) fn covers(self, difference: Ours<'_>) -> bool {
        let refused = matches!(difference, Ours::Refuses(_));
        self == difference || (self == Self::RefusesUnseen && refused)
    }
}

/// One difference: for requests bent in one of these ways.
#[derive(Debug)]
pub(super) struct Explained {
    pub(super) ours: Ours<'static>,
    pub(super) bends: &'static [&'static str],
    pub(super) why: &'static str,
}

const fn refuses(
    reason: &'static str,
    bends: &'static [&'static str],
    why: &'static str,
) -> Explained {
    Explained {
        ours: Ours::Refuses(reason),
        bends,
        why,
    }
}

const fn identity(bends: &'static [&'static str], why: &'static str) -> Explained {
    Explained {
        ours: Ours::Identity,
        bends,
        why,
    }
}

const fn finds(bends: &'static [&'static str], why: &'static str) -> Explained {
    Explained {
        ours: Ours::Finds,
        bends,
        why,
    }
}

pub(super) const EXPLAINED: &[Explained] = &[
    // The header (RFC 7515, RFC 8725)
    refuses(
        "malformed_token",
        &["crit_unknown", "crit_empty", "crit_not_there", "crit_b64"],
        "RFC 7515 §4.1.11: a critical parameter that is not understood must be refused; jwt_authn does not read crit",
    ),
    refuses(
        "malformed_token",
        &["b64_false", "b64_true"],
        "RFC 7797 §7 forbids b64 in a JWT; jwt_authn verifies as if it were not there",
    ),
    refuses(
        "malformed_token",
        &["enc", "zip"],
        "RFC 7516 §4.1: parameters of an encrypted token have no meaning in a signed one (CVE-2023-51774, CVE-2024-33664)",
    ),
    refuses(
        "type_not_allowed",
        &["typ_logout", "typ_dpop"],
        "RFC 8725 §3.11: a token made for another purpose is no access token; jwt_authn does not read typ",
    ),
    refuses(
        "malformed_token",
        &["typ_number"],
        "RFC 7515 §4.1.9: typ is a text",
    ),
    refuses(
        "unknown_key_id",
        &["kid_empty"],
        "RFC 7515 §4.1.4: an empty kid names a key that is not there; jwt_authn takes it for none",
    ),
    refuses(
        "malformed_token",
        &["kid_very_long", "header_large", "header_deeply_nested"],
        "the header is bounded: 2 KiB, 4 levels, a kid of 256 bytes (CVE-2026-48042); jwt_authn ignores what it does not read",
    ),
    // JSON (RFC 8259)
    refuses(
        "malformed_token",
        &[
            "header_trailing_comma",
            "claims_trailing_comma",
            "claims_control_character",
        ],
        "RFC 8259 §2 and §7: this is no JSON; jwt_authn's parser is lenient",
    ),
    refuses(
        "malformed_token",
        &["claims_nested_deeply", "claims_large"],
        "a token is bounded: 16 KiB, a few levels (CVE-2026-48042); jwt_authn allows 100 levels and any length",
    ),
    refuses(
        "invalid_path",
        &["claims_large"],
        "a path with its query is bounded, also where the token in it would not be looked at",
    ),
    // The compact form (RFC 7515 §3.1, RFC 4648 §3)
    refuses(
        "malformed_token",
        &["base64_padding", "base64_trailing_bits"],
        "RFC 7515 §2, RFC 4648 §3.5: one token has one spelling, or a list of revoked ones is bypassed (OWASP PR 2242)",
    ),
    refuses(
        "malformed_token",
        &[
            "compact_leading_dot",
            "compact_trailing_dot",
            "letter_before",
            "word_behind",
        ],
        "RFC 6750 §2.1: what follows the scheme is the token, all of it; jwt_authn cuts out what looks like one",
    ),
    refuses(
        "bad_signature",
        &["signature_longer"],
        "RFC 8032 §5.1.7: an Ed25519 signature has 64 octets; jwt_authn ignores what follows them",
    ),
    // Claims (RFC 7519 §4.1)
    refuses(
        "wrong_audience",
        &["aud_with_a_slash", "aud_with_http", "aud_without_scheme"],
        "RFC 7519 §4.1.3, RFC 8725 §3.9: audiences are compared as they are; jwt_authn drops scheme and last slash",
    ),
    refuses(
        "not_yet_valid",
        &["iat_future"],
        "RFC 7519 §4.1.6: a token issued in the future was made on a wrong clock or for later; jwt_authn does not read iat",
    ),
    refuses(
        "invalid_claims",
        &["iat_missing"],
        "max_lifetime counts from iat, which must be there; jwt_authn counts from now",
    ),
    refuses(
        "lifetime_too_long",
        &["iat_two_days_ago"],
        "max_lifetime counts from iat: a token that was issued for too long is so on its last day too",
    ),
    identity(
        &[
            "sub_with_spaces_around",
            "sub_with_a_tab",
            "sub_with_a_c1_control",
        ],
        "a claim goes upstream as it is or not at all: ` auth0|1 ` would arrive as auth0|1, another subject (RFC 9110 §5.5)",
    ),
    identity(
        &["scope_array"],
        "a list of plain values is a comma list (RFC 9110 §5.6.1), where jwt_authn writes base64 of its JSON",
    ),
    // Where a token stands (RFC 6750 §2)
    refuses(
        "several_tokens",
        &[
            "parameter_twice_the_same",
            "parameter_twice_garbage_last",
            "cookie_twice_the_same",
            "cookie_twice_garbage_last",
            "garbage_in_a_parameter_too",
            "garbage_in_a_cookie_too",
        ],
        "RFC 6750 §2: one token in one place; the upstream might read the other one. jwt_authn takes the first",
    ),
    refuses(
        "several_tokens",
        &["scheme_after_another", "field_twice_another_scheme"],
        "RFC 9110 §11.6.2: one set of credentials; jwt_authn searches the value for its scheme",
    ),
    refuses(
        "opaque_token",
        &["parameter_escaped"],
        "a compact token needs no escapes (RFC 7515 §3.1); one token has one spelling",
    ),
    refuses(
        "opaque_token",
        &["empty", "scheme_alone"],
        "CVE-2021-21378: an empty credential is not an absent one; jwt_authn forwards it where a token is optional",
    ),
    finds(
        &["scheme_in_lower_case", "scheme_in_upper_case"],
        "RFC 9110 §11.1: the scheme is compared without regard to case; jwt_authn compares it",
    ),
    finds(
        &["tab_for_a_space", "cookie_with_spaces_around"],
        "some upstreams read a token here, so it is verified (RFC 6265 §5.2); jwt_authn does not see it",
    ),
    identity(
        &[
            "scheme_in_lower_case",
            "scheme_in_upper_case",
            "tab_for_a_space",
            "cookie_with_spaces_around",
        ],
        "where a token is optional we verify this one, and jwt_authn forwards it unseen",
    ),
    Explained {
        ours: Ours::RefusesUnseen,
        bends: &[
            "scheme_in_lower_case",
            "scheme_in_upper_case",
            "tab_for_a_space",
            "cookie_with_spaces_around",
        ],
        why: "CVE-2021-21378: where a token is optional a bad one is refused; jwt_authn forwards it unseen",
    },
    // The request around it
    refuses(
        "cross_site",
        &[
            "method_post",
            "method_delete",
            "method_unknown",
            "cross_site_post",
        ],
        "a change that only a cookie authenticates must come from this site; jwt_authn has no such check",
    ),
    refuses(
        "invalid_path",
        &[
            "path_double_slash",
            "path_leading_double_slash",
            "path_dot_segment",
            "path_above_the_root",
            "path_out_of_assets",
            "path_out_of_assets_escaped",
            "path_out_of_assets_by_backslash",
        ],
        "a path that must be mended is refused; Envoy's normalize_path and merge_slashes mend it (RFC 3986 §5.2.4)",
    ),
    refuses(
        "invalid_path",
        &[
            "path_semicolon",
            "path_healthz_semicolon",
            "path_out_of_assets_with_semicolon",
        ],
        "CVE-2026-73511: matrix parameters are read by some upstreams and dropped by others",
    ),
    refuses(
        "invalid_path",
        &["path_not_utf8", "path_overlong", "path_broken_escape"],
        "RFC 3986 §2.1, RFC 3629 §3: upstreams disagree about these, so no rule can be sure",
    ),
    identity(
        &["identity_spoofed_with_underscores"],
        "CVE-2025-64484: a client's identity header is removed in every spelling, of which jwt_authn knows one",
    ),
];
