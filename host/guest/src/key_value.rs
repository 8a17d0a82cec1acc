//! Key-value stores for components: `wasi:keyvalue@0.2.0-draft2` and `spin:key-value@3.0.0` over one database.

mod file;
mod sqlite;

use std::collections::BTreeSet;
use std::sync::Arc;

use wasmtime::component::{Access, Accessor, FutureReader, HasData, Resource, ResourceTable, StreamReader};

use crate::bindings::spin::key_value::key_value as spin;
use crate::bindings::wasi::keyvalue::{atomics, batch, store};
pub use file::{FileStore, KeyValueFile};
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub use sqlite::Bucket;
pub use sqlite::{Database, Location};

/// What one component may open.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) labels: Arc<BTreeSet<String>>,
    pub(crate) database: Database,
}

impl Stores {
    fn open(&self, label: String) -> Option<Bucket> {
        self.labels.contains(&label).then(|| Bucket { label, database: self.database.clone() })
    }
}

/// A compare-and-swap under way.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Cas {
    bucket: Bucket,
    key: String,
    seen: Option<Vec<u8>>,
}

/// The view of a guest that the key-value interfaces work on.
pub(crate) struct View<'a> {
    pub(crate) stores: &'a Stores,
    pub(crate) table: &'a mut ResourceTable,
}

/// Marks [`View`] for the linker.
pub(crate) struct KeyValue;

impl HasData for KeyValue {
    type Data<'a> = View<'a>;
}

type Trappable<T> = wasmtime::Result<T>;
type WasiResult<T> = Trappable<Result<T, store::Error>>;

impl View<'_> {
    fn bucket(&self, bucket: &Resource<Bucket>) -> Trappable<Bucket> {
        Ok(self.table.get(bucket)?.clone())
    }
}

impl store::Host for View<'_> {
    async fn open(&mut self, identifier: String) -> WasiResult<Resource<Bucket>> {
        match self.stores.open(identifier) {
            Some(bucket) => Ok(Ok(self.table.push(bucket)?)),
            None => Ok(Err(store::Error::AccessDenied)),
        }
    }
}

impl store::HostBucket for View<'_> {
    async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> WasiResult<Option<Vec<u8>>> {
        Ok(self.bucket(&bucket)?.get(key).await.map_err(store::Error::Other))
    }

    async fn set(&mut self, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> WasiResult<()> {
        Ok(self.bucket(&bucket)?.set(key, value).await.map_err(store::Error::Other))
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> WasiResult<()> {
        Ok(self.bucket(&bucket)?.delete(key).await.map_err(store::Error::Other))
    }

    async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> WasiResult<bool> {
        Ok(self.bucket(&bucket)?.exists(key).await.map_err(store::Error::Other))
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<String>,
    ) -> WasiResult<store::KeyResponse> {
        if cursor.is_some() {
            return Ok(Err(store::Error::Other("every key is in the first page".to_owned())));
        }
        let keys = self.bucket(&bucket)?.keys().await;
        Ok(keys.map(|keys| store::KeyResponse { keys, cursor: None }).map_err(store::Error::Other))
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> Trappable<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for View<'_> {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: i64) -> WasiResult<i64> {
        Ok(self.bucket(&bucket)?.increment(key, delta).await.map_err(store::Error::Other))
    }

    async fn swap(&mut self, cas: Resource<Cas>, value: Vec<u8>) -> Trappable<Result<(), atomics::CasError>> {
        let Cas { bucket, key, seen } = self.table.delete(cas)?;
        match bucket.swap(key.clone(), seen, value).await {
            Ok(true) => Ok(Ok(())),
            Ok(false) => match bucket.get(key.clone()).await {
                Ok(seen) => {
                    Ok(Err(atomics::CasError::CasFailed(self.table.push(Cas { bucket, key, seen })?)))
                }
                Err(failure) => Ok(Err(atomics::CasError::StoreError(store::Error::Other(failure)))),
            },
            Err(failure) => Ok(Err(atomics::CasError::StoreError(store::Error::Other(failure)))),
        }
    }
}

impl atomics::HostCas for View<'_> {
    async fn new(&mut self, bucket: Resource<Bucket>, key: String) -> WasiResult<Resource<Cas>> {
        let bucket = self.bucket(&bucket)?;
        Ok(Ok(self.table.push(Cas { bucket, key, seen: None })?))
    }

    async fn current(&mut self, cas: Resource<Cas>) -> WasiResult<Option<Vec<u8>>> {
        let Cas { bucket, key, .. } = self.table.get(&cas)?;
        match bucket.clone().get(key.clone()).await {
            Ok(value) => {
                self.table.get_mut(&cas)?.seen.clone_from(&value);
                Ok(Ok(value))
            }
            Err(failure) => Ok(Err(store::Error::Other(failure))),
        }
    }

    async fn drop(&mut self, cas: Resource<Cas>) -> Trappable<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}

impl batch::Host for View<'_> {
    async fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> WasiResult<Vec<(String, Option<Vec<u8>>)>> {
        Ok(self.bucket(&bucket)?.get_many(keys).await.map_err(store::Error::Other))
    }

    async fn set_many(
        &mut self,
        bucket: Resource<Bucket>,
        key_values: Vec<(String, Vec<u8>)>,
    ) -> WasiResult<()> {
        Ok(self.bucket(&bucket)?.set_many(key_values).await.map_err(store::Error::Other))
    }

    async fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> WasiResult<()> {
        Ok(self.bucket(&bucket)?.delete_many(keys).await.map_err(store::Error::Other))
    }
}

type SpinResult<T> = Trappable<Result<T, spin::Error>>;

impl spin::Host for View<'_> {}

impl spin::HostStore for View<'_> {
    fn drop(&mut self, store: Resource<Bucket>) -> Trappable<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

fn bucket<T>(accessor: &Accessor<T, KeyValue>, store: &Resource<Bucket>) -> Trappable<Bucket> {
    accessor.with(|mut access| access.get().bucket(store))
}

impl<T: Send> spin::HostStoreWithStore<T> for KeyValue {
    async fn open(accessor: &Accessor<T, Self>, label: String) -> SpinResult<Resource<Bucket>> {
        accessor.with(|mut access| {
            let view = access.get();
            match view.stores.open(label) {
                Some(bucket) => Ok(Ok(view.table.push(bucket)?)),
                None => Ok(Err(spin::Error::AccessDenied)),
            }
        })
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<Bucket>,
        key: String,
    ) -> SpinResult<Option<Vec<u8>>> {
        Ok(bucket(accessor, &store)?.get(key).await.map_err(spin::Error::Other))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<Bucket>,
        key: String,
        value: Vec<u8>,
    ) -> SpinResult<()> {
        Ok(bucket(accessor, &store)?.set(key, value).await.map_err(spin::Error::Other))
    }

    async fn delete(accessor: &Accessor<T, Self>, store: Resource<Bucket>, key: String) -> SpinResult<()> {
        Ok(bucket(accessor, &store)?.delete(key).await.map_err(spin::Error::Other))
    }

    async fn exists(accessor: &Accessor<T, Self>, store: Resource<Bucket>, key: String) -> SpinResult<bool> {
        Ok(bucket(accessor, &store)?.exists(key).await.map_err(spin::Error::Other))
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        store: Resource<Bucket>,
    ) -> Trappable<(StreamReader<String>, FutureReader<Result<(), spin::Error>>)> {
        let (keys, outcome) = match bucket(accessor, &store)?.keys().await {
            Ok(keys) => (keys, Ok(())),
            Err(failure) => (Vec::new(), Err(spin::Error::Other(failure))),
        };
        accessor.with(|mut access: Access<'_, T, Self>| {
            let stream = StreamReader::new(&mut access, keys)?;
            let outcome = FutureReader::new(&mut access, async move { wasmtime::error::Ok(outcome) })?;
            Ok((stream, outcome))
        })
    }
}
