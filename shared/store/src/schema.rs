//! The table's shape. `template.yaml` creates it on AWS; this creates it on one machine.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
};

use crate::error::StoreError;

/// The table's partition key.
pub const KEY: &str = "channel_sid";

/// The sparse index of what waits.
pub const DUE_INDEX: &str = "due";

/// The attribute by which closed records expire.
pub const TTL_ATTRIBUTE: &str = "expires_at";

pub(crate) const DUE_QUEUE: &str = "due_queue";
pub(crate) const SINCE: &str = "since";

/// Creates the table with its index and time to live, where it does not exist yet.
///
/// # Errors
///
/// Fails if DynamoDB refuses or does not answer. A table that exists is not an error.
pub async fn create_table(client: &Client, table: &str) -> Result<(), StoreError> {
    let built = build(client, table).map_err(|error| StoreError::Unreachable {
        why: error.to_string(),
    })?;
    match built.send().await {
        Ok(_) => {}
        Err(error) if exists(&error) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let ttl = TimeToLiveSpecification::builder()
        .attribute_name(TTL_ATTRIBUTE)
        .enabled(true)
        .build()
        .map_err(|error| StoreError::Unreachable {
            why: error.to_string(),
        })?;
    client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(ttl)
        .send()
        .await?;
    Ok(())
}

fn exists(error: &SdkError<CreateTableError>) -> bool {
    error
        .as_service_error()
        .is_some_and(CreateTableError::is_resource_in_use_exception)
}

type CreateTable = aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;

fn build(client: &Client, table: &str) -> Result<CreateTable, BuildError> {
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
    };
    let key = |name: &str, kind| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
    };
    let index = GlobalSecondaryIndex::builder()
        .index_name(DUE_INDEX)
        .key_schema(key(DUE_QUEUE, KeyType::Hash)?)
        .key_schema(key(SINCE, KeyType::Range)?)
        .projection(
            Projection::builder()
                .projection_type(ProjectionType::KeysOnly)
                .build(),
        )
        .build()?;
    Ok(client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(KEY, ScalarAttributeType::S)?)
        .attribute_definitions(attribute(DUE_QUEUE, ScalarAttributeType::S)?)
        .attribute_definitions(attribute(SINCE, ScalarAttributeType::N)?)
        .key_schema(key(KEY, KeyType::Hash)?)
        .global_secondary_indexes(index))
}
