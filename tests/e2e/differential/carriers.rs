//! Where and how a request carries its token (RFC 6750 §2, RFC 9110 §11, RFC 6265 §4.2).

use super::draft::{Bend, Carrier, Draft, Place, bend, refused};

pub(super) const BENDS: &[Bend] = &[
    bend("scheme_in_lower_case", |d, _| header(d, "bearer {}")),
    bend("scheme_in_upper_case", |d, _| header(d, "BEARER {}")),
    bend("scheme_missing", |d, _| header(d, "{}")),
    bend("scheme_other", |d, _| header(d, "Token {}")),
    bend("scheme_basic", |d, _| header(d, "Basic {}")),
    bend("scheme_dpop", |d, _| header(d, "DPoP {}")),
    bend("scheme_glued", |d, _| header(d, "Bearer{}")),
    bend("scheme_alone", |d, _| header(d, "Bearer")),
    bend("scheme_after_another", |d, _| {
        header(d, "Negotiate Bearer {}");
    }),
    bend("scheme_twice", |d, _| header(d, "Bearer Bearer {}")),
    bend("two_spaces", |d, _| header(d, "Bearer  {}")),
    bend("tab_for_a_space", |d, _| header(d, "Bearer\t{}")),
    bend("space_at_the_end", |d, _| header(d, "Bearer {} ")),
    bend("comma_at_the_end", |d, _| header(d, "Bearer {},")),
    bend("parameters_behind", |d, _| {
        header(d, "Bearer {}, realm=\"x\"");
    }),
    bend("semicolon_behind", |d, _| header(d, "Bearer {};a=b")),
    bend("quoted", |d, _| header(d, "Bearer \"{}\"")),
    bend("word_before", |d, _| header(d, "Bearer x {}")),
    bend("word_behind", |d, _| header(d, "Bearer {} x")),
    bend("letter_before", |d, _| header(d, "Bearer :{}")),
    bend("joined_by_a_comma", |d, _| {
        header(d, "Bearer {}, Bearer {}");
    }),
    bend("joined_with_garbage_first", |d, _| {
        header(d, "Bearer a.b.c, Bearer {}");
    }),
    bend("field_twice_the_same", |d, _| {
        several(d, &["Bearer {}", "Bearer {}"]);
    }),
    bend("field_twice_garbage_first", |d, _| {
        several(d, &["Bearer a.b.c", "Bearer {}"]);
    }),
    bend("field_twice_garbage_last", |d, _| {
        several(d, &["Bearer {}", "Bearer a.b.c"]);
    }),
    bend("field_twice_another_scheme", |d, _| {
        several(d, &["Basic YTpi", "Bearer {}"]);
    }),
    bend("field_with_an_underscore", |d, _| {
        d.carriers.clear();
        d.fields.push(("x_authorization", "Bearer a.b.c"));
    }),
    bend("no_token", |d, _| d.carriers.clear()),
    bend("parameter_and_field_the_same", |d, _| {
        d.carriers = vec![Carrier::of(Place::Header), Carrier::of(Place::Parameter)];
    }),
    bend("garbage_in_a_parameter_too", |d, _| {
        d.query.push("access_token=a.b.c");
    }),
    bend("garbage_in_a_cookie_too", |d, _| {
        d.fields.push(("cookie", "token=a.b.c"));
    }),
    bend("garbage_in_the_field_too", |d, _| {
        d.fields.push(("authorization", "Bearer a.b.c"));
    }),
    bend("empty_field_too", |d, _| {
        d.fields.push(("authorization", ""));
    }),
    bend("cookie_and_field_the_same", |d, _| {
        d.carriers = vec![Carrier::of(Place::Header), Carrier::of(Place::Cookie)];
    }),
    bend("parameter_twice_the_same", |d, _| {
        d.carriers = vec![Carrier::of(Place::Parameter), Carrier::of(Place::Parameter)];
    }),
    bend("parameter_twice_garbage_first", |d, _| {
        parameter(d, "access_token=a.b.c&access_token={}");
    }),
    bend("parameter_twice_garbage_last", |d, _| {
        parameter(d, "access_token={}&access_token=a.b.c");
    }),
    bend("parameter_name_escaped", |d, _| {
        parameter(d, "access%5Ftoken={}");
    }),
    bend("parameter_name_in_upper_case", |d, _| {
        parameter(d, "ACCESS_TOKEN={}");
    }),
    bend("parameter_name_with_brackets", |d, _| {
        parameter(d, "access_token[]={}");
    }),
    bend("parameter_after_a_semicolon", |d, _| {
        parameter(d, "a=b;access_token={}");
    }),
    bend("parameter_with_a_space", |d, _| {
        parameter(d, "access_token=+{}");
    }),
    bend("parameter_empty", |d, _| parameter(d, "access_token=")),
    bend("parameter_among_others", |d, _| {
        parameter(d, "a=1&access_token={}&b=%20");
    }),
    bend("parameter_escaped", |d, _| {
        d.carriers = vec![Carrier::of(Place::Parameter)];
        d.edits.push(|token, _| token.replace('.', "%2E"));
    }),
    bend("cookie_quoted", |d, _| cookie(d, "token=\"{}\"")),
    bend("cookie_among_others", |d, _| {
        cookie(d, "a=1; token={}; b=2");
    }),
    bend("cookie_without_a_space", |d, _| {
        cookie(d, "a=1;token={};b=2");
    }),
    bend("cookie_with_spaces_around", |d, _| {
        cookie(d, "a=1;  token = {} ; b=2");
    }),
    bend("cookie_name_in_upper_case", |d, _| cookie(d, "TOKEN={}")),
    bend("cookie_name_longer", |d, _| cookie(d, "xtoken={}")),
    bend("cookie_twice_the_same", |d, _| {
        cookie(d, "token={}; token={}");
    }),
    bend("cookie_twice_garbage_first", |d, _| {
        cookie(d, "token=a.b.c; token={}");
    }),
    bend("cookie_twice_garbage_last", |d, _| {
        cookie(d, "token={}; token=a.b.c");
    }),
    bend("cookie_empty", |d, _| cookie(d, "token=")),
    bend("cookie_field_twice", |d, _| {
        cookie(d, "token={}");
        d.fields.push(("cookie", "a=1"));
    }),
    bend("websocket_protocol", |d, _| {
        d.carriers.clear();
        d.fields.push(("sec-websocket-protocol", "bearer, a.b.c"));
    }),
    refused("no_token_but_a_forwarded_one", |d, _| {
        d.carriers.clear();
        d.fields.push(("x-forwarded-authorization", "Bearer a.b.c"));
        d.fields.push(("x-forwarded-user", "admin"));
    }),
];

fn header(d: &mut Draft, form: &'static str) {
    d.carriers = vec![Carrier {
        place: Place::Header,
        form,
    }];
}

fn several(d: &mut Draft, forms: &[&'static str]) {
    d.carriers = forms
        .iter()
        .map(|form| Carrier {
            place: Place::Header,
            form,
        })
        .collect();
}

fn parameter(d: &mut Draft, form: &'static str) {
    d.carriers = vec![Carrier {
        place: Place::Parameter,
        form,
    }];
}

fn cookie(d: &mut Draft, form: &'static str) {
    d.carriers = vec![Carrier {
        place: Place::Cookie,
        form,
    }];
}
