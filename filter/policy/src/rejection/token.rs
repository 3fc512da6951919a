//! What an error of a token means for the reply: the other half of the table.

use super::Reason;
use crate::jwt::Error;

impl From<Error> for Reason {
    fn from(error: Error) -> Self {
        match error {
            Error::NotAJwt => Self::OpaqueToken,
            Error::Encrypted => Self::EncryptedToken,
            Error::TooLarge
            | Error::Segments
            | Error::Encoding
            | Error::HeaderTooLarge
            | Error::HeaderJson(_)
            | Error::MalformedHeader(_)
            | Error::CriticalHeader
            | Error::UnsupportedHeader(_)
            | Error::ClaimsJson(_)
            | Error::ClaimsNotAnObject => Self::MalformedToken,
            Error::UnsupportedAlgorithm | Error::AlgorithmNotAllowed(_) => {
                Self::AlgorithmNotAllowed
            }
            Error::TypeNotAllowed => Self::TypeNotAllowed,
            Error::IssuerNotAllowed => Self::WrongIssuer,
            Error::UnknownKeyId | Error::NoFittingKey => Self::UnknownKeyId,
            Error::SignatureMismatch => Self::BadSignature,
            Error::SignatureUnsupported(_) => Self::Internal,
            Error::MissingClaim(_) | Error::MalformedClaim(_) => Self::InvalidClaims,
            Error::Bound => Self::BoundToken,
            Error::AudienceNotAllowed => Self::WrongAudience,
            Error::Expired { .. } => Self::Expired,
            Error::NotYetValid { .. } | Error::IssuedInTheFuture { .. } => Self::NotYetValid,
            Error::LifetimeTooLong { .. } => Self::LifetimeTooLong,
        }
    }
}
