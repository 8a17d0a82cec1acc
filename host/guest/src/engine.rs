//! The WebAssembly engine: compiled code, pooled instances, and a clock that interrupts loops.

use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

/// How often a running guest lets the other tasks of its thread go on.
const TICK: Duration = Duration::from_millis(10);

/// The most memory one component, main or part, may grow to.
const MEMORY: usize = 128 << 20;

/// What stays mapped of a memory between two instances: a fresh one then costs 20 µs, not 100.
const RESIDENT: usize = 2 << 20;

/// The core modules a component compiles to: itself, and the adapters between it and the others.
const MODULES_PER_PART: u32 = 8;

/// An engine for at most `instances` instances at a time, of applications of at most `parts` components each.
pub(crate) fn engine(instances: u32, parts: u32) -> wasmtime::Result<Engine> {
    let modules = parts.saturating_mul(MODULES_PER_PART);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(modules))
        .total_memories(instances.saturating_mul(parts))
        .total_tables(instances.saturating_mul(parts).saturating_mul(2))
        .total_stacks(instances.saturating_mul(4))
        .max_core_instances_per_component(modules)
        .max_memories_per_component(parts)
        .max_tables_per_component(parts.saturating_mul(2))
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .max_memory_size(MEMORY)
        .linear_memory_keep_resident(RESIDENT)
        .pagemap_scan(Enabled::Auto);

    let mut config = Config::new();
    config
        .wasm_component_model_async(true)
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config)?;
    start_ticker(&engine)?;
    Ok(engine)
}

/// Ticks until the engine is gone. A thread, not a task: tasks wait for the very guests this interrupts.
fn start_ticker(engine: &Engine) -> wasmtime::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new().name("epoch".to_owned()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(())
}
