//! One call of Twilio's API, as it is to be made.

use http::{HeaderValue, Method};

use super::base::Product;

/// A call to be made.
pub(in crate::rest) struct Call {
    pub(in crate::rest) method: Method,
    pub(in crate::rest) product: Product,
    pub(in crate::rest) path: String,
    pub(in crate::rest) body: Option<Body>,
    /// The version that the thing must still have for the call to have an effect.
    pub(in crate::rest) if_match: Option<HeaderValue>,
    /// True if Twilio's webhooks are to fire for it, as they do for a person's doing.
    pub(in crate::rest) webhooks: Webhooks,
    /// True if it may be made again when it failed.
    pub(in crate::rest) repeat: Repeat,
    /// It evaluates the attributes of tasks, which Twilio does a few times in a second only.
    pub(in crate::rest) is_evaluation: bool,
}

/// The body, and its content type.
pub(in crate::rest) struct Body {
    pub(in crate::rest) content_type: &'static str,
    pub(in crate::rest) text: String,
}

/// The safety of making a call again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::rest) enum Repeat {
    Safe,
    Never,
}

/// The wish for Twilio's webhooks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::rest) enum Webhooks {
    Silent,
    Fire,
}

impl Call {
    pub(in crate::rest) fn get(product: Product, path: String) -> Self {
        Self::new(Method::GET, product, path)
    }

    pub(in crate::rest) fn delete(product: Product, path: String) -> Self {
        Self::new(Method::DELETE, product, path)
    }

    pub(in crate::rest) fn post(product: Product, path: String, form: &[(&str, &str)]) -> Self {
        let mut body = form_urlencoded::Serializer::new(String::new());
        let body = Body {
            content_type: "application/x-www-form-urlencoded",
            text: body.extend_pairs(form).finish(),
        };
        Self {
            body: Some(body),
            ..Self::new(Method::POST, product, path)
        }
    }

    /// The few calls that take JSON.
    pub(in crate::rest) fn post_json(product: Product, path: String, json: String) -> Self {
        let body = Body {
            content_type: "application/json",
            text: json,
        };
        Self {
            body: Some(body),
            ..Self::new(Method::POST, product, path)
        }
    }

    /// Lets the call fail with [`super::error::TwilioError::Conflict`] if the thing has another version.
    pub(in crate::rest) fn if_match(self, version: &HeaderValue) -> Self {
        Self {
            if_match: Some(version.clone()),
            ..self
        }
    }

    /// Lets Twilio's webhooks fire: Flex hears of a change of a channel by nothing else.
    pub(in crate::rest) fn with_webhooks(self) -> Self {
        Self {
            webhooks: Webhooks::Fire,
            ..self
        }
    }

    /// Makes it once: it writes what was worked out from what was read.
    pub(in crate::rest) fn once(self) -> Self {
        Self {
            repeat: Repeat::Never,
            ..self
        }
    }

    /// Keeps the call apart from others that evaluate the attributes of tasks.
    pub(in crate::rest) fn evaluating(self) -> Self {
        Self {
            is_evaluation: true,
            ..self
        }
    }

    fn new(method: Method, product: Product, path: String) -> Self {
        Self {
            is_evaluation: false,
            repeat: Repeat::Safe,
            method,
            product,
            path,
            body: None,
            if_match: None,
            webhooks: Webhooks::Silent,
        }
    }
}
