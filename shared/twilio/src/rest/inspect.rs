//! Any resource as JSON, for questions about Twilio itself rather than about a channel.

use serde_json::Value;

use super::client::Client;
use super::client::base::Product;
use super::client::call::Call;
use super::client::error::TwilioError;

impl Client {
    /// Reads a resource of a product as JSON and changes nothing. `path` begins with a slash and
    /// may hold a query. The answer may hold personal data: only what is counted of it may leave
    /// the caller.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses, gives no answer, or answers with something that is not JSON.
    pub async fn inspect(&self, product: Product, path: &str) -> Result<Value, TwilioError> {
        let call = Call::get(product, path.to_owned());
        let call = match path.contains("EvaluateTaskAttributes=") {
            true => call.evaluating(),
            false => call,
        };
        self.ask(call, |text| serde_json::from_str(text).ok()).await
    }
}
