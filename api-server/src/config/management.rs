//! Settings of the provider's Management API; all of them or none.

use url::Url;

use super::reader::Reader;
use super::{Secret, parse};

/// How profiles are read and changed at the provider.
#[derive(Clone, Debug)]
pub struct ManagementSettings {
    /// The tenant's own domain; its Management API is below `api/v2/`, its token endpoint is `oauth/token`.
    pub url: Url,
    /// The machine-to-machine client, allowed `read:users` and `update:users`.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

impl ManagementSettings {
    /// `Some(None)` where the Management API isn't configured, `None` after a mistake.
    #[expect(
        clippy::option_option,
        reason = "a mistake and left out are different things"
    )]
    pub(super) fn read(reader: &mut Reader<'_>, issuer: Option<&str>) -> Option<Option<Self>> {
        // With a custom domain the issuer is another host than the one the Management API is at.
        let url = reader.optional("management_url", parse::site);
        let client_id = reader.optional("management_client_id", parse::text);
        let client_secret = reader.optional_secret("management_client_secret", |text| {
            parse::text(text).map(Secret::new)
        });
        let (url, client_id, client_secret) = (url?, client_id?, client_secret?);
        match (client_id, client_secret) {
            (None, None) if url.is_none() => Some(None),
            (Some(client_id), Some(client_secret)) => {
                let default = || issuer.and_then(|issuer| parse::site(issuer).ok());
                let Some(url) = url.or_else(default) else {
                    return reader.mistake(
                        "management_url",
                        "is required: the issuer is no plain https://host/",
                    );
                };
                Some(Some(Self {
                    url,
                    client_id,
                    client_secret,
                }))
            }
            (client_id, client_secret) => {
                for (name, is_missing) in [
                    ("management_client_id", client_id.is_none()),
                    ("management_client_secret", client_secret.is_none()),
                ] {
                    if is_missing {
                        reader.mistake::<()>(name, "is required for the Management API");
                    }
                }
                None
            }
        }
    }
}
